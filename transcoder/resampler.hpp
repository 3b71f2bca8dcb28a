// Any sound becomes 48 kHz stereo.
#pragma once

#include <cstdint>
#include <vector>

#include "common/base/error.hpp"
#include "transcoder/av.hpp"

namespace relay::transcoder {

struct StereoSamples {
  std::vector<float> left, right;  // equally long
};

class Resampler {
 public:
  /// Whether `frame` has the format that this was opened for.
  bool fits(const AVFrame& frame) const;
  /// Forgets what it still holds: convert(nullptr) before.
  Result<void> open(const AVFrame& frame);
  /// Null: what is still held. A damaged frame gives nothing.
  StereoSamples convert(const AVFrame* frame);
  /// Samples that went in and have not come out.
  std::int64_t held() const;
  /// Makes `samples` more (or less) out of the next second.
  void compensate(int samples);

 private:
  av::Resampler resampler_;
  int in_rate_ = 0, in_format_ = -1, in_channels_ = 0;
};

}  // namespace relay::transcoder
