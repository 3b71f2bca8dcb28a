// The way of one stream's sound from packets to the slot's output: decode, make it 48 kHz stereo
// and lay it where it belongs on the channel clock.
#pragma once

#include <cstdint>
#include <optional>

#include "transcoder/decoder.hpp"
#include "transcoder/live/channel_clock.hpp"
#include "transcoder/live/slot_output.hpp"
#include "transcoder/resampler.hpp"

namespace relay::transcoder::live {

/// One thread.
class SoundPath {
 public:
  /// All outlive this.
  SoundPath(const AVStream& stream, const SourceLimits& limits, const ChannelClock& clock,
            SlotOutput& output)
      : stream_(stream), limits_(limits), clock_(clock), output_(output) {}

  /// Times in microseconds of the channel clock.
  void push(const AVPacket& packet);

 private:
  void take(const AVFrame& frame);
  void place(std::int64_t sample);
  void write(StereoSamples samples);

  const AVStream& stream_;
  const SourceLimits limits_;
  const ChannelClock& clock_;
  SlotOutput& output_;
  std::optional<Decoder> decoder_;
  Resampler resampler_;
  std::optional<std::int64_t> written_;  // the number of the next sample
  double drift_samples_ = 0;             // smoothed: how late the source is against what we wrote
};

}  // namespace relay::transcoder::live
