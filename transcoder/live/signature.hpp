// Whether a picture still moves: how bright it is, cell by cell, beside the one before. Pure.
#pragma once

#include <array>
#include <cstdint>

#include "transcoder/av.hpp"

namespace relay::transcoder::live {

class Signature {
 public:
  static constexpr int columns = 64, rows = 36;
  /// Of a picture of 8 bits a sample. Means, for single samples of a still picture differ from one
  /// coded picture to the next by more than a small thing that moves.
  static Signature of(const AVFrame& picture);
  /// So alike that nothing moves: coding noise at most.
  bool is_like(const Signature& other) const;

 private:
  std::array<std::uint8_t, static_cast<std::size_t>(columns* rows)> cells_{};
};

}  // namespace relay::transcoder::live
