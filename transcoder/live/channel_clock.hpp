// The channel's own time: microseconds since the epoch of its version, on the wall clock as it was
// when the clock was made and steady from there on.
#pragma once

#include <chrono>
#include <cmath>
#include <cstdint>

namespace relay::transcoder::live {

/// Thread-safe. Whatever waits for the channel's time waits for this clock, so with another `pace`
/// everything is slower or faster alike: 0.5 takes two seconds for one of the channel.
class ChannelClock {
 public:
  explicit ChannelClock(std::int64_t epoch_ms, double pace = 1)
      : pace_(pace), begun_(std::chrono::steady_clock::now()) {
    auto wall = std::chrono::system_clock::now().time_since_epoch();
    begun_us_ = std::chrono::duration_cast<std::chrono::microseconds>(wall).count() -
                epoch_ms * std::int64_t{1000};
  }

  std::int64_t now_us() const {
    auto since = std::chrono::steady_clock::now() - begun_;
    auto us = std::chrono::duration_cast<std::chrono::microseconds>(since).count();
    return begun_us_ + std::llround(static_cast<double>(us) * pace_);
  }
  std::chrono::steady_clock::time_point at(std::int64_t us) const {
    // Not before its moment, or who woke up at it would find that it has not come.
    double since = std::ceil(static_cast<double>(us - begun_us_) / pace_);
    return begun_ + std::chrono::microseconds(static_cast<std::int64_t>(since));
  }

 private:
  double pace_;
  std::chrono::steady_clock::time_point begun_;
  std::int64_t begun_us_ = 0;  // of the channel
};

}  // namespace relay::transcoder::live
