#include "edge/fleet/answer_times.hpp"

#include <algorithm>
#include <cmath>

namespace relay::edge::fleet {
namespace {

constexpr double first_bucket_us = 64;

/// The end of the bucket.
std::chrono::microseconds end_of(std::size_t bucket) {
  return std::chrono::microseconds(
      std::llround(first_bucket_us * std::exp2(static_cast<double>(bucket) / 2)));
}

}  // namespace

void AnswerTimes::add(std::chrono::microseconds taken) {
  double ratio = std::max(1.0, static_cast<double>(taken.count()) / first_bucket_us);
  auto bucket = static_cast<std::size_t>(std::ceil(2 * std::log2(ratio)));
  buckets_[std::min(bucket, bucket_count - 1)].fetch_add(1, std::memory_order_relaxed);
  if (total_.fetch_add(1, std::memory_order_relaxed) + 1 == halved_at) halve();
}

void AnswerTimes::halve() {
  std::uint32_t left = 0;
  for (auto& bucket : buckets_) {
    std::uint32_t half = bucket.load(std::memory_order_relaxed) / 2;
    bucket.store(half, std::memory_order_relaxed);
    left += half;
  }
  total_.store(left, std::memory_order_relaxed);
}

std::optional<std::chrono::microseconds> AnswerTimes::p95() const {
  std::array<std::uint32_t, bucket_count> counts;
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < bucket_count; ++i) {
    counts[i] = buckets_[i].load(std::memory_order_relaxed);
    total += counts[i];
  }
  if (total < telling_count) return std::nullopt;
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < bucket_count; ++i) {
    seen += counts[i];
    if (100 * seen >= 95 * total) return end_of(i);
  }
  return end_of(bucket_count - 1);
}

}  // namespace relay::edge::fleet
