#include "transcoder/live/signature.hpp"

#include <algorithm>
#include <cstdlib>

namespace relay::transcoder::live {

namespace {

constexpr int noise = 3;      // a cell that differs by no more is alike
constexpr int line_step = 2;  // lines looked at

/// The mean of the samples from `left` to `right` (not included) of some lines.
std::uint8_t mean(const AVFrame& picture, int left, int right, int top, int bottom) {
  unsigned sum = 0, count = 0;
  for (int y = top; y < bottom; y += line_step) {
    const std::uint8_t* line =
        picture.data[0] + static_cast<std::ptrdiff_t>(y) * picture.linesize[0];
    for (int x = left; x < right; ++x) sum += line[x];
    count += static_cast<unsigned>(right - left);
  }
  return static_cast<std::uint8_t>((sum + count / 2) / count);
}

}  // namespace

Signature Signature::of(const AVFrame& picture) {
  Signature signature;
  std::size_t at = 0;
  for (int row = 0; row < rows; ++row) {
    int top = row * picture.height / rows;
    int bottom = std::max(top + 1, (row + 1) * picture.height / rows);
    for (int column = 0; column < columns; ++column) {
      int left = column * picture.width / columns;
      int right = std::max(left + 1, (column + 1) * picture.width / columns);
      signature.cells_[at++] = mean(picture, left, right, top, bottom);
    }
  }
  return signature;
}

bool Signature::is_like(const Signature& other) const {
  return std::ranges::equal(cells_, other.cells_,
                            [](int one, int two) { return std::abs(one - two) <= noise; });
}

}  // namespace relay::transcoder::live
