#include "transcoder/live/thumbnail_lane.hpp"

#include <utility>

#include "transcoder/live/setup.hpp"

namespace relay::transcoder::live {

namespace {

// As the encoders mark their pictures.
AVColorSpace matrix_of(const media::LiveSetup& setup) {
  return is_high_definition(setup) ? AVCOL_SPC_BT709 : AVCOL_SPC_SMPTE170M;
}

}  // namespace

ThumbnailLane::ThumbnailLane(const Grid& grid, PartOutput& output)
    : grid_(grid),
      output_(output),
      sheet_({grid.setup().tile_width, grid.setup().tile_height}, matrix_of(grid.setup())) {
}

bool ThumbnailLane::wants(std::int64_t frame) const {
  return grid_.setup().tile_width > 0 && grid_.begins_group(frame);
}

void ThumbnailLane::show(const AVFrame& picture, std::int64_t frame) {
  const media::LiveSetup& setup = grid_.setup();
  if (grid_.begins_segment(frame)) {
    sheet_.clear();
    next_ = frame;
  }
  if (frame != next_) return;
  if (auto added = sheet_.add(picture); !added) return output_.fail_with(added.error());
  next_ += setup.group_frames;
  if (!grid_.begins_segment(next_)) return;
  auto jpeg = sheet_.take_jpeg();
  if (!jpeg) return output_.fail_with(jpeg.error());
  output_.send_sheet(grid_.segment_of_frame(frame), std::move(*jpeg));
}

}  // namespace relay::transcoder::live
