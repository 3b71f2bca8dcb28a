#include "transcoder/live/part_output.hpp"

#include <utility>

#include "transcoder/boxes.hpp"

namespace relay::transcoder::live {

void PartOutput::send(const TrackSpec& track, Part part) {
  std::int64_t last = last_part_;
  if (failed_ || part.number > last) return;
  bool begins_segment = grid_.within_segment(part.number) == 0;
  auto built = build_part(track, part.samples, part.number, begins_segment);
  if (!built) return fail_with(built.error());
  LivePart sent{.rendition = track.name,
                .segment = grid_.segment_of(part.number),
                .part = grid_.within_segment(part.number),
                .independent = part.samples.front().sync,
                .last = part.number == last || grid_.part_ends_segment(part.number),
                .body = std::move(built->bytes),
                .digest = built->digest};
  for (const Sample& sample : part.samples) sent.ticks += sample.duration;
  // Behind a gap in the stream there may be a key picture anywhere; the grid's are the same in all.
  bool begins_group = grid_.part_begins_group(part.number);
  if (begins_group && !built->keys.empty() && built->keys.front().microseconds == 0)
    sent.keys = {built->keys.front()};
  if (auto queued = publisher_.live_part(std::move(sent)); !queued) fail_with(queued.error());
}

void PartOutput::send_sheet(std::int64_t segment, std::string jpeg) {
  const media::LiveSetup& setup = grid_.setup();
  Digest128 digest = digest128(jpeg);
  if (failed_) return;
  auto queued = publisher_.live_part({.rendition = std::string(media::thumbnails_name),
                                      .segment = segment,
                                      .ticks = setup.segment_frames * setup.rate_denominator,
                                      .independent = true,
                                      .last = true,
                                      .body = std::move(jpeg),
                                      .digest = digest});
  if (!queued) fail_with(queued.error());
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
