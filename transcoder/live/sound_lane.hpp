// The sound rendition of a channel: AAC frames numbered on the channel clock, in parts.
#pragma once

#include <cstdint>
#include <optional>

#include "transcoder/live/part_cutter.hpp"
#include "transcoder/live/part_output.hpp"
#include "transcoder/sound_encoder.hpp"

namespace relay::transcoder::live {

/// What the encoder holds back is taken so long before it is due, where the delay of the channel is
/// at least that: sound must be there by then.
inline constexpr std::int64_t sound_ahead_us = 100'000;

/// One thread.
class SoundLane {
 public:
  static Result<SoundLane> open(std::int64_t kbit_s, const Grid& grid, PartOutput& output);

  const TrackSpec& track() const { return track_; }
  /// Samples of AAC frame `number`, sound_frame each. After a gap any number may follow.
  void push(const float* left, const float* right, std::int64_t number);

 private:
  SoundLane(std::int64_t kbit_s, const Grid& grid, PartOutput& output, TrackSpec track)
      : kbit_s_(kbit_s),
        output_(&output),
        track_(std::move(track)),
        cutter_(grid, {.sound = true}) {}

  std::int64_t kbit_s_;
  PartOutput* output_;
  TrackSpec track_;
  PartCutter cutter_;
  std::optional<SoundEncoder> encoder_;
  std::int64_t next_ = -1;  // number
};

}  // namespace relay::transcoder::live
