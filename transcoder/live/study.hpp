// Looks at the beginning of the channel's first stream, to decide the setup: size, rate and kind of
// its pictures, whether there are any.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "transcoder/decoder.hpp"
#include "transcoder/probe.hpp"

namespace relay::transcoder::live {

/// Sound for so long and no picture: there is none.
inline constexpr std::int64_t sound_alone_us = 1'500'000;

/// One thread.
class Study {
 public:
  explicit Study(const SourceLimits& limits) : limits_(limits) {}

  /// A packet with times in microseconds. The facts, once they are known.
  std::optional<SourceFacts> picture(const AVStream& stream, const AVPacket& packet);
  std::optional<SourceFacts> sound(const AVPacket& packet);

 private:
  void decode(const AVStream& stream, const AVPacket& packet);
  Fraction rate(const AVStream& stream) const;

  SourceLimits limits_;
  SourceFacts facts_;
  std::optional<Decoder> decoder_;
  std::vector<std::int64_t> times_ns_;  // presentation, of pictures
  std::int64_t first_sound_us_ = INT64_MIN;
};

}  // namespace relay::transcoder::live
