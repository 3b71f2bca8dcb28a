#include "transcoder/live/pes_track.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "transcoder/live/pes_marks.hpp"

namespace relay::transcoder::live {

bool PesTrack::Pes::is_picture() const {
  bool fits = data_wanted == 0 || data_bytes == data_wanted;
  return readable && !damaged && fits && scan.is_one();
}

void PesTrack::add(const media::TsPacket& packet, std::int64_t arrival_us,
                   std::deque<TsPiece>& out) {
  bool follows = this->follows(packet), has_data = !packet.payload().empty();
  if (packet.begins_unit() && has_data) {
    if (open_) {
      open_->damaged |= !follows;
      close(out);
    }
    begin(packet, arrival_us);
  } else if (open_) {
    open_->filled_within |= open_->filled && open_->data_wanted == 0 && has_data && follows;
    open_->damaged |= !follows;
    extend(packet, arrival_us);
  } else {
    if (guessed_ && has_data && follows) refuse("a picture went on behind its last packet", out);
    out.push_back({std::string(packet.bytes()), arrival_us});
    return;
  }
  judge_open(out);
}

// Whether it can go on, or need not be kept any longer.
void PesTrack::judge_open(std::deque<TsPiece>& out) {
  if (open_->filled_within) return refuse("packets are filled up within a picture", out);
  if (open_->packets.size() > picture_bytes_max)
    return refuse(fmt::format("a picture has more than {} bytes", picture_bytes_max), out);
  guessed_ = good_ >= good_wanted_ && open_->complete() && open_->is_picture();
  if (guessed_) close(out);
}

void PesTrack::end(std::deque<TsPiece>& out) {
  settled_ = true;
  if (open_) close(out);
}

// False: packets are missing before it, or it is no good itself.
bool PesTrack::follows(const media::TsPacket& packet) {
  if (packet.payload().empty()) return !packet.transport_error();
  bool next =
      continuity_ < 0 || packet.discontinuity() || packet.continuity() == ((continuity_ + 1) & 15);
  continuity_ = packet.continuity();
  return next && !packet.transport_error();
}

void PesTrack::begin(const media::TsPacket& packet, std::int64_t arrival_us) {
  open_.emplace(Pes{.scan = AccessUnitScan(coding_)});
  auto head = media::read_picture_head(packet.payload());
  open_->readable = head && !head->times.empty() && !head->scrambled;
  open_->data_wanted = head ? head->data_bytes : 0;
  open_->damaged = packet.transport_error();
  extend(packet, arrival_us);
}

void PesTrack::extend(const media::TsPacket& packet, std::int64_t arrival_us) {
  Pes& pes = *open_;
  std::string_view data = packet.payload();
  if (!data.empty()) {
    pes.filled = packet.stuffed();
    pes.continuity = packet.continuity();
  }
  if (pes.packets.empty())
    if (auto head = media::read_picture_head(data)) data.remove_prefix(head->head_bytes);
  pes.scan.add(data);
  pes.data_bytes += data.size();
  pes.packets += packet.bytes();
  pes.arrival_us = arrival_us;
}

void PesTrack::close(std::deque<TsPiece>& out) {
  Pes pes = std::move(*open_);
  open_.reset();
  judge(pes);
  bool trusted = good_ >= good_wanted_;
  if (good_ > 0 && !trusted && !settled_) {
    held_.push_back(std::move(pes));
    return;
  }
  settled_ = true;
  for (Pes& each : std::exchange(held_, {})) release(std::move(each), trusted, out);
  release(std::move(pes), trusted, out);
}

// Damage says nothing of the stream. Each disappointment makes it harder to be trusted again.
void PesTrack::judge(const Pes& pes) {
  constexpr std::int64_t harder = 4, wanted_max = std::int64_t{1} << 40;
  if (pes.is_picture()) {
    ++good_;
    return;
  }
  good_ = 0;
  if (!pes.damaged) good_wanted_ = std::min(good_wanted_ * harder, wanted_max);
}

void PesTrack::release(Pes pes, bool whole, std::deque<TsPiece>& out) const {
  pes.packets += end_of_pes(pid_, pes.continuity);
  out.push_back({std::move(pes.packets), pes.arrival_us, pid_, coding_, whole});
}

// What is open goes on without its end, which is not known; with no bytes, the piece still says
// that the parser must look again.
void PesTrack::refuse(std::string reason, std::deque<TsPiece>& out) {
  refusal_ = std::move(reason);
  for (Pes& each : std::exchange(held_, {})) release(std::move(each), false, out);
  TsPiece last{.pid = pid_};
  if (open_) {
    last.bytes = std::move(open_->packets);
    last.arrival_us = open_->arrival_us;
  }
  open_.reset();
  out.push_back(std::move(last));
}

}  // namespace relay::transcoder::live
