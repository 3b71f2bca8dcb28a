// Where all chance of a history comes from: one seed (splitmix64; Steele, Lea, Flood, 2014).
#pragma once

#include <cstdint>

namespace relay::simulation {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    std::uint64_t mixed = state_ += 0x9e3779b97f4a7c15;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    return mixed ^ (mixed >> 31);
  }
  /// 0 up to, and not with, `end` (> 0).
  std::uint64_t below(std::uint64_t end) { return next() % end; }
  /// `from` to `to`, both included.
  std::int64_t between(std::int64_t from, std::int64_t to) {
    return from + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(to - from) + 1));
  }
  bool one_in(std::uint64_t count) { return below(count) == 0; }
  /// Another stream, so that what one part draws does not move the others.
  Random fork() { return Random(next()); }

 private:
  std::uint64_t state_;
};

}  // namespace relay::simulation
