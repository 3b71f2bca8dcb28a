// How often a key was used, long after it left the cache: a count-min sketch of four rows of
// 8-bit counters with conservative update. Pure; not thread-safe.
//
// Each place has two counters. The lasting memory must be long: with columns of about twice the
// cached objects the object miss ratio of a download trace at 1 % of its working set was
// 0.596-0.600, with 2^18 columns 0.569-0.573. So columns are four to eight times the objects
// expected, and counters are halved only after eight additions a column. Where today's files are
// not tomorrow's, that is too long: the recent memory is halved as the cache turns over. Memory is
// taken as keys come.
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/base/zeros.hpp"
#include "edge/policy/plan.hpp"

namespace relay::edge::policy {

class Sketch {
 public:
  /// Columns are rounded up to a power of two, at least 64.
  explicit Sketch(std::size_t columns);
  /// `objects`: how many the cache holds now, by which the recent memory is halved.
  void add(std::uint64_t hash, std::size_t objects = 0);
  /// Never below the true count since the last halvings (to 255); above it by collisions only.
  unsigned count(std::uint64_t hash, Memory memory = Memory::lasting) const;

 private:
  static constexpr std::size_t rows = 4;
  struct Counters {
    std::uint8_t lasting, recent;  // side by side, so that both cost one line of a cache
  };
  using Counter = std::uint8_t Counters::*;
  std::size_t place(std::uint64_t hash, std::size_t row) const;
  unsigned least(std::uint64_t hash, Counter counter) const;
  void raise(std::uint64_t hash, Counter counter);
  void halve(Counter counter);
  std::uint64_t recent_additions_max(std::size_t objects) const;

  unsigned shift_;
  std::size_t columns_;
  std::uint64_t additions_ = 0, recent_additions_ = 0;  // since the last halvings
  Zeros<Counters> counters_;
};

}  // namespace relay::edge::policy
