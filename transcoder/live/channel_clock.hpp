// The channel's own time: microseconds since the epoch of its version, on the wall clock as it was
// when the process began and steady from there on.
#pragma once

#include <chrono>
#include <cstdint>

namespace relay::transcoder::live {

/// Thread-safe.
class ChannelClock {
 public:
  explicit ChannelClock(std::int64_t epoch_ms) {
    auto wall = std::chrono::system_clock::now().time_since_epoch();
    std::int64_t wall_us = std::chrono::duration_cast<std::chrono::microseconds>(wall).count();
    zero_ = std::chrono::steady_clock::now() -
            std::chrono::microseconds(wall_us - epoch_ms * std::int64_t{1000});
  }

  std::int64_t now_us() const {
    auto since = std::chrono::steady_clock::now() - zero_;
    return std::chrono::duration_cast<std::chrono::microseconds>(since).count();
  }
  std::chrono::steady_clock::time_point at(std::int64_t us) const {
    return zero_ + std::chrono::microseconds(us);
  }

 private:
  std::chrono::steady_clock::time_point zero_;
};

}  // namespace relay::transcoder::live
