// Whether a peer moves bytes fast enough: a deadline from byte to byte alone lets a trickle hold a
// connection for ever. Pure.
#pragma once

#include <chrono>
#include <cstdint>

#include "common/base/limits.hpp"

namespace relay::net {

/// Counts only the time in which we waited for the peer, so that a pause of ours is not held
/// against it. Judged once for each limits::rate_window of such time.
class Pace {
 public:
  using Wait = std::chrono::steady_clock::duration;
  /// `wait` more time went by, in which the peer moved `bytes`. False: over the whole window it
  /// was slower than limits::rate_min_bytes_per_s.
  bool keeps(Wait wait, std::uint64_t bytes) {
    waited_ += wait;
    bytes_ += bytes;
    if (waited_ < limits::rate_window) return true;
    double seconds = std::chrono::duration<double>(waited_).count();
    bool kept = static_cast<double>(bytes_) >= seconds * limits::rate_min_bytes_per_s;
    waited_ = {};
    bytes_ = 0;
    return kept;
  }

 private:
  Wait waited_{};
  std::uint64_t bytes_ = 0;
};

}  // namespace relay::net
