#include "transcoder/live/part_output.hpp"

#include <utility>

#include "transcoder/boxes.hpp"

namespace relay::transcoder::live {

void PartOutput::send(const TrackSpec& track, Part part) {
  std::int64_t last = last_part_;
  if (failed_ || part.number > last) return;
  bool begins_segment = grid_.within_segment(part.number) == 0;
  auto built = build_fragment(track, part.samples, part.number + 1, begins_segment);
  if (!built) return fail_with(built.error());
  LivePart sent{.rendition = track.name,
                .segment = grid_.segment_of(part.number),
                .part = grid_.within_segment(part.number),
                .independent = part.samples.front().sync,
                .last = part.number == last || grid_.part_ends_segment(part.number),
                .body = std::move(built->bytes),
                .digest = built->digest};
  for (const Sample& sample : part.samples) sent.ticks += sample.duration;
  if (auto queued = publisher_.live_part(std::move(sent)); !queued) fail_with(queued.error());
}

void PartOutput::fail_with(Error error) {
  std::lock_guard lock(mutex_);
  if (!failure_) failure_ = std::move(error);
  failed_ = true;
}

std::optional<Error> PartOutput::failure() const {
  std::lock_guard lock(mutex_);
  return failure_;
}

}  // namespace relay::transcoder::live
