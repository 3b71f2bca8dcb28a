// One picture rendition of a channel: an x264 encoder without delay, whose pictures become parts.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "common/base/error.hpp"
#include "transcoder/h264_encoder.hpp"
#include "transcoder/live/part_cutter.hpp"

namespace relay::transcoder::live {

/// Not shared between threads; one thread at a time calls it.
class Rung {
 public:
  /// `grid` outlives this. `threads`: more than 1 when it is alone.
  static Result<Rung> open(const Rendition& rendition, const Grid& grid, const LiveEncoding& live,
                           int threads);

  const TrackSpec& track() const { return track_; }
  int frame_step() const { return h264_.rendition().frame_step; }
  bool wants(std::int64_t frame) const { return frame % frame_step() == 0; }

  /// Encodes picture `frame`; null: the one before once more. Frames may be left out between
  /// segments. Parts that became whole are appended to `done`.
  Result<void> push(const AVFrame* picture, std::int64_t frame, std::vector<Part>& done);
  /// The last pictures; nothing may follow.
  Result<void> finish(std::vector<Part>& done);
  /// The newest picture that came out.
  std::int64_t reached() const { return reached_; }

 private:
  Rung(H264Encoder h264, const Grid& grid);
  Result<void> pull(std::vector<Part>& done);

  H264Encoder h264_;
  TrackSpec track_;
  const Grid* grid_;
  PartCutter cutter_;
  av::Frame previous_;
  std::int64_t pushed_ = 0;          // pictures
  std::int64_t expected_ = -1;       // the frame that follows the last one
  std::deque<std::int64_t> frames_;  // pushed and not yet out
  std::int64_t reached_ = -1;
};

}  // namespace relay::transcoder::live
