// 48 kHz stereo becomes AAC-LC frames that are numbered on the presentation's clock.
#pragma once

#include <cstdint>
#include <deque>

#include "common/base/error.hpp"
#include "transcoder/av.hpp"
#include "transcoder/track.hpp"

namespace relay::transcoder {

inline constexpr int sound_rate = 48000;
inline constexpr int sound_frame = 1024;        // samples in an AAC frame
inline constexpr int sound_encoder_frames = 2;  // pushed behind a frame before it comes out

/// The audio frame nearest to picture frame `number` at `rate`. Pure.
std::int64_t sound_frame_at(std::int64_t number, Fraction rate);

/// Encodes stereo samples to AAC frames; the encoder's priming is taken off, so that frame i
/// sounds at i × 1024 samples from the start of the presentation. A frame comes out when
/// sound_encoder_frames more were pushed.
class SoundEncoder {
 public:
  /// `first_frame`: the number of the first frame that is pushed.
  static Result<SoundEncoder> open(std::int64_t kbit_s, std::int64_t first_frame = 0);
  TrackSpec track() const;
  /// `left` and `right`: sound_frame samples each.
  Result<void> push(const float* left, const float* right, std::deque<Sample>& done);

 private:
  av::CodecContext context_;
  av::Packet packet_ = av::make_packet();
  std::int64_t first_frame_ = 0, frames_in_ = 0, packets_out_ = 0;
};

}  // namespace relay::transcoder
