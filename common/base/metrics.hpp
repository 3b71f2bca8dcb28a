// Counters, gauges and histograms, declared in one table a program, each with a sentence;
// /metrics is written from that table (Prometheus text format 0.0.4).
// Thread-safe: updates are relaxed atomics, so one may stand on the hot path.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace relay {

class Counter {
 public:
  void add(std::uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

class Gauge {
 public:
  void set(std::int64_t v) { value_.store(v, std::memory_order_relaxed); }
  void add(std::int64_t n) { value_.fetch_add(n, std::memory_order_relaxed); }
  std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

/// Seconds in fixed buckets from 0.0005 to 60.
class Histogram {
 public:
  static constexpr std::size_t bucket_count = 16;
  static std::span<const double, bucket_count> bounds_s();
  void observe(double seconds);
  std::uint64_t bucket(std::size_t i) const { return buckets_[i].load(std::memory_order_relaxed); }
  std::uint64_t count() const { return count_.load(std::memory_order_relaxed); }
  double sum_s() const {
    return static_cast<double>(sum_us_.load(std::memory_order_relaxed)) / 1e6;
  }

 private:
  std::atomic<std::uint64_t> buckets_[bucket_count]{};
  std::atomic<std::uint64_t> count_{0};
  std::atomic<std::uint64_t> sum_us_{0};
};

/// Registers metrics at start-up; references stay valid as long as the registry lives.
class Metrics {
 public:
  Metrics();
  ~Metrics();
  /// `labels` is either empty or ready Prometheus text: `outcome="hit"`. The same name may be
  /// registered again with other labels; help is that of the first.
  Counter& counter(std::string_view name, std::string_view help, std::string_view labels = {});
  Gauge& gauge(std::string_view name, std::string_view help, std::string_view labels = {});
  Histogram& histogram(std::string_view name, std::string_view help, std::string_view labels = {});
  std::string exposition() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace relay
