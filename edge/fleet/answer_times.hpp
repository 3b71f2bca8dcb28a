// How long a member took until its answers began, lately: a histogram with buckets that grow by
// the square root of two, halved again and again so that old answers fade. Counting and reading
// take no lock; counts that threads write at the same moment may be lost, which moves nothing.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>

namespace relay::edge::fleet {

class AnswerTimes {
 public:
  void add(std::chrono::microseconds taken);
  /// 95 of 100 answers began within this, to half a bucket; nothing before `telling_count` of them.
  std::optional<std::chrono::microseconds> p95() const;
  static constexpr std::uint32_t telling_count = 32;

 private:
  static constexpr std::size_t bucket_count = 40;  // 64 µs to a minute
  static constexpr std::uint32_t halved_at = 1024;
  void halve();
  std::array<std::atomic<std::uint32_t>, bucket_count> buckets_{};
  std::atomic<std::uint32_t> total_{0};
};

}  // namespace relay::edge::fleet
