// Whether a picture still moves: a coarse sample of it beside the one before. Pure.
#pragma once

#include <array>
#include <cstdint>

#include "transcoder/av.hpp"

namespace relay::transcoder::live {

class Signature {
 public:
  static constexpr int columns = 64, rows = 36;
  /// Brightness of a picture of 8 bits a sample at points all over it.
  static Signature of(const AVFrame& picture);
  /// So alike that nothing moves: coding noise at most.
  bool is_like(const Signature& other) const;

 private:
  std::array<std::uint8_t, static_cast<std::size_t>(columns* rows)> points_{};
};

}  // namespace relay::transcoder::live
