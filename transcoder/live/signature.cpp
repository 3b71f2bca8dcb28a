#include "transcoder/live/signature.hpp"

#include <cstdlib>

namespace relay::transcoder::live {

namespace {
constexpr int noise = 3;             // a point that differs by no more is alike
constexpr int points_different = 2;  // fewer than this do not count
}  // namespace

Signature Signature::of(const AVFrame& picture) {
  Signature signature;
  std::size_t at = 0;
  for (int row = 0; row < rows; ++row) {
    const std::uint8_t* line =
        picture.data[0] + (2 * row + 1) * picture.height / (2 * rows) * picture.linesize[0];
    for (int column = 0; column < columns; ++column)
      signature.points_[at++] = line[(2 * column + 1) * picture.width / (2 * columns)];
  }
  return signature;
}

bool Signature::is_like(const Signature& other) const {
  int different = 0;
  for (std::size_t i = 0; i < points_.size(); ++i)
    if (std::abs(points_[i] - other.points_[i]) > noise) ++different;
  return different < points_different;
}

}  // namespace relay::transcoder::live
