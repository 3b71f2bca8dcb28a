#include "edge/policy/sketch.hpp"

#include <algorithm>
#include <array>
#include <bit>

namespace relay::edge::policy {
namespace {

constexpr std::uint64_t additions_a_column = 8;

// Odd multipliers, one a row: the high bits of the product choose the column.
constexpr std::array<std::uint64_t, 4> multipliers = {0x9e3779b97f4a7c15, 0xc2b2ae3d27d4eb4f,
                                                      0x165667b19e3779f9, 0xd6e8feb86659fd93};

}  // namespace

Sketch::Sketch(std::size_t columns)
    : columns_(std::bit_ceil(std::max<std::size_t>(columns, 64))), counters_(rows * columns_) {
  shift_ = 64 - static_cast<unsigned>(std::countr_zero(columns_));
}

std::size_t Sketch::place(std::uint64_t hash, std::size_t row) const {
  return row * columns_ + ((hash ^ hash >> 32) * multipliers[row] >> shift_);
}

unsigned Sketch::count(std::uint64_t hash) const {
  unsigned least = 255;
  for (std::size_t row = 0; row < rows; ++row) {
    least = std::min<unsigned>(least, counters_[place(hash, row)]);
  }
  return least;
}

void Sketch::add(std::uint64_t hash) {
  unsigned least = count(hash);
  if (least < 255) {
    for (std::size_t row = 0; row < rows; ++row) {
      std::uint8_t& counter = counters_[place(hash, row)];
      if (counter == least) ++counter;
    }
  }
  if (++additions_ >= additions_a_column * columns_) halve();
}

void Sketch::halve() {
  for (std::uint8_t& counter : counters_) counter /= 2;
  additions_ = 0;
}

}  // namespace relay::edge::policy
