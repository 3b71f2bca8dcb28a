// Chance for traces that are made here, the same on every machine: the standard fixes the engine's
// numbers, but not those of its distributions.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace relay::bench {

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  /// From 0 on, below 1.
  double share() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }
  std::uint64_t below(std::uint64_t count) { return engine_() % count; }
  bool happens(double probability) { return share() < probability; }

 private:
  std::mt19937_64 engine_;
};

/// Ranks from 0 on, the first the most popular.
class Zipf {
 public:
  Zipf(std::size_t count, double exponent) {
    double sum = 0;
    for (std::size_t rank = 1; rank <= count; ++rank) {
      sums_.push_back(sum += std::pow(static_cast<double>(rank), -exponent));
    }
  }
  std::size_t rank(Dice& dice) const {
    double at = dice.share() * sums_.back();
    auto found = std::ranges::upper_bound(sums_, at);
    return std::min<std::size_t>(static_cast<std::size_t>(found - sums_.begin()), sums_.size() - 1);
  }

 private:
  std::vector<double> sums_;
};

}  // namespace relay::bench
