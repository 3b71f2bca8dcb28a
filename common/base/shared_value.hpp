// A value that many threads read and some replace: readers take a snapshot and keep it as long as
// they like. One byte beside the pointer, held for the copying of a pointer only.
//
// In the place of std::atomic<std::shared_ptr>: that of libstdc++ 12 gives its lock bit back
// without release order after a load, so that a load and the next store are a data race
// (github.com/google/sanitizers/issues/1558).
#pragma once

#include <atomic>
#include <memory>
#include <thread>
#include <utility>

namespace relay {

/// Thread-safe. Null until something is stored.
template <class T>
class SharedValue {
 public:
  SharedValue() = default;
  explicit SharedValue(std::shared_ptr<T> first) : value_(std::move(first)) {}

  std::shared_ptr<T> load() const {
    Held held(busy_);
    return value_;
  }
  /// What was there before is released outside of the lock.
  void store(std::shared_ptr<T> next) {
    Held held(busy_);
    value_.swap(next);
  }
  /// Only when there is nothing yet.
  void store_first(std::shared_ptr<T> first) {
    Held held(busy_);
    if (!value_) value_.swap(first);
  }

 private:
  class Held {
   public:
    explicit Held(std::atomic_flag& busy) : busy_(busy) {
      while (busy_.test_and_set(std::memory_order_acquire)) std::this_thread::yield();
    }
    ~Held() { busy_.clear(std::memory_order_release); }
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;

   private:
    std::atomic_flag& busy_;
  };

  mutable std::atomic_flag busy_;
  std::shared_ptr<T> value_;
};

}  // namespace relay
