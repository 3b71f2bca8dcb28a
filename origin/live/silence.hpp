// How long a transcoder has given no sign of life, as far as we could have heard one. Pure.
#pragma once

#include <algorithm>
#include <chrono>

#include "common/base/clock.hpp"

namespace relay::origin::live {

class Silence {
 public:
  /// Looks so far apart count as one of this length: a machine that stood, or an origin that did,
  /// tells nothing of the transcoder.
  static constexpr std::chrono::milliseconds look_max{500};

  explicit Silence(SteadyTime begin) : looked_(begin) {}

  /// At each look: `last_sign` of life, and whether it waits for an answer of ours.
  std::chrono::milliseconds at(SteadyTime now, SteadyTime last_sign, bool waits_for_us) {
    auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(now - looked_);
    bool is_heard = last_sign > looked_ || waits_for_us;
    looked_ = now;
    silent_ = is_heard ? std::chrono::milliseconds(0) : silent_ + std::min(passed, look_max);
    return silent_;
  }

 private:
  SteadyTime looked_;
  std::chrono::milliseconds silent_{0};
};

}  // namespace relay::origin::live
