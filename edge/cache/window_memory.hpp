// The memory of the window: what its bodies take, those included that left it while somebody still
// reads them. Any thread gives back.
//
// A body that is on its way from the window into the store takes its memory until that round has
// ended, while those come in for which it left: so the window leaves a round's worth free.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

namespace relay::edge::cache {

/// The most that one round writes or takes in.
inline constexpr std::uint64_t round_bytes_max = 32 << 20;

/// What the window leaves free of its memory for what comes in during a round.
constexpr std::uint64_t window_reserve_bytes(std::uint64_t memory_bytes) {
  return std::min(round_bytes_max, memory_bytes / 4);
}

class WindowMemory {
 public:
  explicit WindowMemory(std::uint64_t bytes_max)
      : bytes_max_(bytes_max), used_(std::make_shared<std::atomic<std::uint64_t>>(0)) {}

  /// Held by a body as long as it takes the bytes.
  class Charge {
   public:
    Charge() = default;
    Charge(std::shared_ptr<std::atomic<std::uint64_t>> used, std::uint64_t bytes)
        : used_(std::move(used)), bytes_(bytes) {
      used_->fetch_add(bytes_, std::memory_order_relaxed);
    }
    Charge(Charge&& other) noexcept
        : used_(std::move(other.used_)), bytes_(std::exchange(other.bytes_, 0)) {}
    Charge& operator=(Charge&& other) noexcept {
      std::swap(used_, other.used_);
      std::swap(bytes_, other.bytes_);
      return *this;
    }
    ~Charge() {
      if (used_) used_->fetch_sub(bytes_, std::memory_order_relaxed);
    }

    std::uint64_t bytes() const { return bytes_; }

   private:
    std::shared_ptr<std::atomic<std::uint64_t>> used_;
    std::uint64_t bytes_ = 0;
  };

  Charge take(std::uint64_t bytes) { return {used_, bytes}; }
  std::uint64_t used() const { return used_->load(std::memory_order_relaxed); }
  std::uint64_t bytes_max() const { return bytes_max_; }

 private:
  std::uint64_t bytes_max_;
  std::shared_ptr<std::atomic<std::uint64_t>> used_;
};

}  // namespace relay::edge::cache
