#include "transcoder/live/ts_relay.hpp"

#include <utility>

namespace relay::transcoder::live {

using media::ts_packet_bytes;
using media::TsPacket;

void TsRelay::add(std::string unit, std::int64_t arrival_us) {
  unit_ = std::move(unit);
  taken_ = 0;
  arrival_us_ = arrival_us;
}

void TsRelay::end() {
  for (auto& [pid, track] : tracks_) track.end(ready_);
}

std::optional<TsPiece> TsRelay::next(const CodingOf& coding_of) {
  while (taken_ < unit_.size() && take_packet(coding_of)) {
  }
  if (ready_.empty()) return std::nullopt;
  TsPiece piece = std::move(ready_.front());
  ready_.pop_front();
  return piece;
}

// False: what is ready must be read first, for it may say what this one is.
bool TsRelay::take_packet(const CodingOf& coding_of) {
  std::string_view rest = std::string_view(unit_).substr(taken_);
  if (rest.size() < ts_packet_bytes || static_cast<std::uint8_t>(rest[0]) != media::ts_sync) {
    pass(rest);
    taken_ = unit_.size();
    return true;
  }
  TsPacket packet(rest.substr(0, ts_packet_bytes));
  auto track = tracks_.find(packet.pid());
  bool new_pictures = track == tracks_.end() && tracks_.size() < tracks_max &&
                      packet.begins_unit() && media::begins_picture(packet.payload());
  if (new_pictures) {
    if (!ready_.empty()) return false;
    PictureCoding coding = coding_of(packet.pid());
    if (coding != PictureCoding::other)
      track = tracks_.try_emplace(packet.pid(), packet.pid(), coding).first;
  }
  taken_ += ts_packet_bytes;
  if (track == tracks_.end() || !track->second.refusal().empty())
    pass(packet.bytes());
  else
    follow(track->second, packet);
  return true;
}

void TsRelay::pass(std::string_view bytes) {
  bool together = !ready_.empty() && ready_.back().pid == TsPiece::any_pid;
  if (!together) ready_.push_back({"", arrival_us_});
  ready_.back().bytes += bytes;
  ready_.back().arrival_us = arrival_us_;
}

void TsRelay::follow(PesTrack& track, const TsPacket& packet) {
  track.add(packet, arrival_us_, ready_);
  if (!track.refusal().empty()) refusal_ = track.refusal();
}

std::string TsRelay::take_refusal() {
  return std::exchange(refusal_, {});
}

}  // namespace relay::transcoder::live
