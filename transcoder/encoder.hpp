// One rendition of the picture of a file: an x264 encoder, and its packets gathered into whole
// segments.
#pragma once

#include <cstdint>
#include <vector>

#include "common/base/error.hpp"
#include "transcoder/av.hpp"
#include "transcoder/chunker.hpp"
#include "transcoder/encoding.hpp"
#include "transcoder/h264_encoder.hpp"
#include "transcoder/track.hpp"

namespace relay::transcoder {

/// Not shared between threads; one thread at a time calls it.
class Encoder {
 public:
  /// `first_segment`: frames before it are not expected, segments count from it. `chunker`
  /// outlives this. `threads`: 1 when several encoders share the cores.
  static Result<Encoder> open(const Rendition& rendition, const PicturePlan& picture,
                              const Chunker& chunker, const Encoding& encoding, int threads,
                              std::int64_t first_segment);

  /// Everything but the track's number.
  TrackSpec track() const { return h264_.track(); }
  /// Frames are numbered at the presentation's full rate; only every frame_step-th is wanted.
  std::int64_t first_frame() const { return first_frame_; }
  int frame_step() const { return h264_.rendition().frame_step; }

  /// Takes picture `number`; appends segments that became whole to `done`. Null: the end; the
  /// last segment comes out.
  Result<void> push(const AVFrame* picture, std::int64_t number, std::vector<Segment>& done);

 private:
  Encoder(H264Encoder h264, const Chunker& chunker, std::int64_t first_segment)
      : h264_(std::move(h264)),
        chunker_(&chunker),
        first_frame_(chunker.first_frame(first_segment)),
        number_(first_segment) {}
  void add(H264Picture coded, std::vector<Segment>& done);
  void close_segment(std::vector<Segment>& done, bool last);

  H264Encoder h264_;
  const Chunker* chunker_;
  std::int64_t first_frame_;
  std::int64_t number_;  // of the segment that is being gathered
  std::vector<Sample> samples_;
};

}  // namespace relay::transcoder
