#include "edge/policy/sketch.hpp"

#include <algorithm>
#include <array>
#include <bit>

namespace relay::edge::policy {
namespace {

constexpr std::uint64_t additions_a_column = 8;
// Of the recent memory, between halvings, for each object that the cache holds; not so few that
// halving would cost more than adding.
constexpr std::uint64_t additions_an_object = 8;
constexpr std::uint64_t columns_an_addition = 16;

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

unsigned Sketch::least(std::uint64_t hash, Counter counter) const {
  unsigned least = 255;
  for (std::size_t row = 0; row < rows; ++row) {
    least = std::min<unsigned>(least, counters_[place(hash, row)].*counter);
  }
  return least;
}

unsigned Sketch::count(std::uint64_t hash, Memory memory) const {
  return least(hash, memory == Memory::recent ? &Counters::recent : &Counters::lasting);
}

void Sketch::raise(std::uint64_t hash, Counter counter) {
  unsigned before = least(hash, counter);
  if (before == 255) return;
  for (std::size_t row = 0; row < rows; ++row) {
    std::uint8_t& each = counters_[place(hash, row)].*counter;
    if (each == before) ++each;
  }
}

void Sketch::add(std::uint64_t hash, std::size_t objects) {
  raise(hash, &Counters::lasting);
  raise(hash, &Counters::recent);
  if (++additions_ >= additions_a_column * columns_) {
    halve(&Counters::lasting);
    additions_ = 0;
  }
  if (++recent_additions_ >= recent_additions_max(objects)) {
    halve(&Counters::recent);
    recent_additions_ = 0;
  }
}

std::uint64_t Sketch::recent_additions_max(std::size_t objects) const {
  return std::clamp<std::uint64_t>(additions_an_object * objects, columns_ / columns_an_addition,
                                   additions_a_column * columns_);
}

void Sketch::halve(Counter counter) {
  for (Counters& each : counters_) each.*counter /= 2;
}

}  // namespace relay::edge::policy
