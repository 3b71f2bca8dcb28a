#include "transcoder/live/beginning.hpp"

#include <algorithm>

namespace relay::transcoder::live {

namespace {
/// Fewer than a lane of the rung pool holds, or the rest of the segment would be left out.
constexpr std::int64_t made_up_frames_max = 150;
/// Behind its segment's end what was left half done waits so long for a picture to show: a quarter
/// of a segment, for the origin gives it up after some half (origin/live/deadlines).
constexpr std::int64_t take_up_wait_us_max = 1'000'000;
}  // namespace

Beginning::Beginning(const Grid& grid, const media::LiveJob& job, std::int64_t frame)
    : grid_(grid),
      first_segment_(
          std::max(job.first_segment, grid.segment_of_frame(std::max<std::int64_t>(frame, 0)))) {
  std::int64_t last = -1;
  for (const media::LiveBegun& each : job.begun)
    if (each.part > 0) last = std::max(last, each.segment);
  if (last < 0) return;
  left_ = job.begun;
  left_frames_ = {INT64_MAX, grid.first_frame_of_segment(last + 1)};
  for (const media::LiveBegun& each : left_)
    left_frames_.first = std::min(left_frames_.first, grid.first_frame(part_of(each)));
}

std::int64_t Beginning::part_of(const media::LiveBegun& begun) const {
  return grid_.first_part(begun.segment) + begun.part;
}

std::optional<Stretch> Beginning::at(std::int64_t frame, bool wanted) {
  if (!left_.empty() && frame - left_frames_.first > made_up_frames_max)
    not_before(grid_.segment_of_frame(left_frames_.end));
  if (!left_.empty()) return take_up(frame, wanted);
  std::int64_t segment = grid_.segment_of_frame(frame);
  if (!wanted || segment < first_segment_) return std::nullopt;
  std::int64_t first = grid_.first_frame_of_segment(segment);
  const media::LiveSetup& setup = grid_.setup();
  std::int64_t most = std::min(setup.segment_frames - setup.group_frames, made_up_frames_max);
  if (frame - first > most) return std::nullopt;
  taken_up_.clear();
  begun_part_ = grid_.first_part(segment);
  return Stretch{first, frame};
}

std::optional<Stretch> Beginning::take_up(std::int64_t frame, bool wanted) {
  const media::LiveSetup& setup = grid_.setup();
  std::int64_t wait_us =
      std::min(take_up_wait_us_max, setup.microseconds_of(setup.segment_frames) / 4);
  std::int64_t due = setup.frame_at(setup.microseconds_of(left_frames_.end) + wait_us);
  if (frame < left_frames_.first || (!wanted && frame < due)) return std::nullopt;
  Stretch stretch = left_frames_;
  stretch.goes_on = wanted;
  if (wanted) stretch.end = frame;
  taken_up_ = std::move(left_);
  begun_part_ = grid_.first_part(grid_.segment_of_frame(left_frames_.end));
  not_before(grid_.segment_of_frame(left_frames_.end));
  return stretch;
}

std::int64_t Beginning::first_part(std::string_view rendition) const {
  auto found = std::ranges::find(taken_up_, rendition, &media::LiveBegun::rendition);
  return found == taken_up_.end() ? begun_part_ : part_of(*found);
}

void Beginning::not_before(std::int64_t segment) {
  first_segment_ = std::max(first_segment_, segment);
  left_.clear();
}

}  // namespace relay::transcoder::live
