#include "edge/fleet/demand.hpp"

#include <algorithm>

namespace relay::edge::fleet {
namespace {

// Odd multipliers, one a row: the high bits of the product choose the column.
constexpr std::array<std::uint64_t, 4> multipliers = {0x9e3779b97f4a7c15, 0xc2b2ae3d27d4eb4f,
                                                      0x165667b19e3779f9, 0xd6e8feb86659fd93};

}  // namespace

Demand::Demand() : counters_(rows << column_bits) {
}

Demand::Places Demand::places(std::uint64_t key_hash) {
  Places at;
  for (std::size_t row = 0; row < rows; ++row) {
    std::uint64_t column = (key_hash ^ key_hash >> 32) * multipliers[row] >> (64 - column_bits);
    at[row] = (row << column_bits) + column;
  }
  return at;
}

std::uint32_t Demand::count(std::uint64_t key_hash) const {
  std::uint32_t least = UINT32_MAX;
  for (std::size_t place : places(key_hash)) least = std::min(least, counters_[place]);
  return least;
}

void Demand::add(std::uint64_t key_hash) {
  ++total_;
  std::uint32_t least = count(key_hash);
  if (least == UINT32_MAX) return;
  for (std::size_t place : places(key_hash)) {
    if (counters_[place] == least) ++counters_[place];
  }
}

double Demand::share(std::uint64_t key_hash) const {
  if (total_ == 0) return 0;
  return static_cast<double>(count(key_hash)) / static_cast<double>(total_);
}

void Demand::halve() {
  total_ /= 2;
  for (std::uint32_t& counter : counters_) counter /= 2;
}

}  // namespace relay::edge::fleet
