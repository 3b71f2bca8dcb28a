// How many refused publishers are worth a line of the log each: whoever knocks without end must not
// fill the disk. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include "common/base/clock.hpp"

namespace relay::origin::live {

class RefusalLog {
 public:
  static constexpr int lines_max = 20;  // in a window
  static constexpr std::chrono::seconds window{10};

  /// Of a refusal now: how many before it were left out since the last line; nullopt: this one is
  /// left out too.
  std::optional<std::uint64_t> line(SteadyTime now) {
    if (now - begun_ >= window || lines_ == 0) {
      begun_ = now;
      lines_ = 0;
    }
    if (lines_ == lines_max) {
      ++left_out_;
      return std::nullopt;
    }
    ++lines_;
    return std::exchange(left_out_, 0);
  }

 private:
  SteadyTime begun_{};
  int lines_ = 0;
  std::uint64_t left_out_ = 0;
};

}  // namespace relay::origin::live
