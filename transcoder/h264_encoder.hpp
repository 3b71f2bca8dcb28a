// One rendition of the picture as an x264 encoder: pictures in, coded pictures out. Key pictures
// are where the caller wants them and nowhere else.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/error.hpp"
#include "transcoder/av.hpp"
#include "transcoder/ladder.hpp"
#include "transcoder/picture.hpp"
#include "transcoder/track.hpp"

namespace relay::transcoder {

struct H264Tuning {
  std::string preset = "veryfast";
  double crf = 23;
  double peak_to_average = 1.25;  // of the encoder's own buffer model, whose buffer is 1 s
  int threads = 1;                // 1 when several encoders share the cores
  /// Every picture comes out at once: no B-frames, no looking ahead, and threads share a picture
  /// instead of taking one each.
  bool no_delay = false;
  int profile = FF_PROFILE_H264_HIGH;
  int set_id = 0;           // of its parameter sets, 0 to 31
  bool full_range = false;  // pictures use all values from 0 to 255
};

/// One coded picture. Times count this rendition's own pictures.
struct H264Picture {
  std::int64_t dts = 0, pts = 0;
  bool idr = false;
  std::vector<std::uint8_t> data;  // as track.hpp wants it
};

/// Not shared between threads; one thread at a time calls it.
class H264Encoder {
 public:
  /// `full_rate`: of the presentation; the rendition's own follows from its frame_step. The
  /// rendition's level is one that x264 knows, or 0: x264 chooses.
  static Result<H264Encoder> open(const Rendition& rendition, const PicturePlan& picture,
                                  Fraction full_rate, const H264Tuning& tuning);

  /// Everything but the track's number.
  TrackSpec track() const;
  const Rendition& rendition() const { return rendition_; }
  std::int64_t timescale() const { return timescale_; }
  std::int64_t frame_ticks() const { return frame_ticks_; }

  /// `index` grows by one a picture. Null: nothing follows. Pull until nullopt after each push.
  Result<void> push(const AVFrame* picture, std::int64_t index, bool key);
  Result<std::optional<H264Picture>> pull();

 private:
  Rendition rendition_;
  Fraction rate_;  // of this rendition
  std::int64_t timescale_ = 1, frame_ticks_ = 1;
  av::CodecContext context_;
  av::Packet packet_ = av::make_packet();
};

}  // namespace relay::transcoder
