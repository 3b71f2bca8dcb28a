// One rendition of the picture: an x264 encoder, and its packets gathered into whole segments.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/error.hpp"
#include "transcoder/av.hpp"
#include "transcoder/chunker.hpp"
#include "transcoder/encoding.hpp"
#include "transcoder/ladder.hpp"
#include "transcoder/picture.hpp"
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
  TrackSpec track() const;
  /// Frames are numbered at the presentation's full rate; only every frame_step-th is wanted.
  std::int64_t first_frame() const { return first_frame_; }
  int frame_step() const { return rendition_.frame_step; }

  /// Takes picture `number`; appends segments that became whole to `done`. Null: the end; the
  /// last segment comes out.
  Result<void> push(const AVFrame* picture, std::int64_t number, std::vector<Segment>& done);

 private:
  Result<void> drain(std::vector<Segment>& done);
  void add(const AVPacket& packet, std::vector<Segment>& done);
  void close_segment(std::vector<Segment>& done, bool last);

  Rendition rendition_;
  Fraction rate_;  // of this rendition
  const Chunker* chunker_ = nullptr;
  std::int64_t timescale_ = 1, frame_ticks_ = 1, first_frame_ = 0;
  av::CodecContext context_;
  av::Packet packet_ = av::make_packet();
  std::int64_t number_ = 0;  // of the segment that is being gathered
  std::vector<Sample> samples_;
};

}  // namespace relay::transcoder
