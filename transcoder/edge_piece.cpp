#include "transcoder/edge_piece.hpp"

#include <algorithm>
#include <utility>

namespace relay::transcoder {
namespace {

std::unexpected<Error> edge_unreadable() {
  return bad_input("a segment at the clip's edge cannot be read");
}

}  // namespace

Result<EdgeSegment> EdgeSegment::read(int source_fd, const media::EdgePiece& piece, bool picture,
                                      const SourceLimits& limits, const StopSignal& stop) {
  SourceWindow window{static_cast<std::int64_t>(piece.offset),
                      static_cast<std::int64_t>(piece.bytes)};
  auto demuxer = Demuxer::open(source_fd, limits, stop, window);
  if (!demuxer) return std::unexpected(demuxer.error());
  EdgeSegment segment;
  segment.demuxer_ = std::move(*demuxer);
  segment.stream_ = picture ? segment.demuxer_->video() : segment.demuxer_->audio();
  if (!segment.stream_ || segment.stream_->time_base.num != 1) return edge_unreadable();
  auto taken = segment.take_packets();
  if (taken) taken = segment.sort_frames();
  if (!taken) return std::unexpected(taken.error());
  return segment;
}

std::vector<std::size_t> EdgeSegment::keys() const {
  std::vector<std::size_t> found{0};
  for (std::size_t i = 1; i < packets_.size(); ++i) {
    bool is_key = (packets_[i]->flags & AV_PKT_FLAG_KEY) != 0;
    if (is_key && packets_[i]->pts == frames_[i].pts) found.push_back(i);
  }
  return found;
}

Result<void> EdgeSegment::take_packets() {
  while (true) {
    av::Packet packet = av::make_packet();
    auto more = demuxer_->next(*packet);
    if (!more) return std::unexpected(more.error());
    if (!*more) break;
    if (packet->stream_index != stream_->index) continue;
    if (packet->pts == AV_NOPTS_VALUE || packet->dts == AV_NOPTS_VALUE) return edge_unreadable();
    packets_.push_back(std::move(packet));
  }
  if (packets_.empty()) return edge_unreadable();
  return {};
}

Result<void> EdgeSegment::sort_frames() {
  std::vector<std::int64_t> times;
  for (const av::Packet& packet : packets_) times.push_back(packet->pts);
  std::ranges::sort(times);
  for (std::size_t i = 0; i < times.size(); ++i) {
    std::int64_t duration =
        i + 1 < times.size() ? times[i + 1] - times[i] : packets_.back()->duration;
    if (duration <= 0) return edge_unreadable();
    frames_.push_back({times[i], duration});
  }
  return {};
}

}  // namespace relay::transcoder
