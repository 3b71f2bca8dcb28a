// Bytes that fills under way are going to store. The store thread evicts for them while they still
// arrive, so that a body that is whole finds its room made, and what was evicted for it has had
// time to get out of the sockets that it was sent by.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

namespace relay::edge::cache {

/// Of one fill; held until its store() has had its answer. Any thread, one at a time.
class Expected {
 public:
  Expected() = default;  // expects nothing, whatever it is raised to
  explicit Expected(std::shared_ptr<std::atomic<std::uint64_t>> total) : total_(std::move(total)) {}
  Expected(Expected&& other) noexcept { *this = std::move(other); }
  Expected& operator=(Expected&& other) noexcept {
    std::swap(total_, other.total_);
    std::swap(charge_bytes_, other.charge_bytes_);
    return *this;
  }
  ~Expected() {
    if (total_) total_->fetch_sub(charge_bytes_, std::memory_order_relaxed);
  }

  /// The body has so many bytes, as far as is known by now; never fewer than before.
  void raise(std::uint64_t body_bytes);

 private:
  std::shared_ptr<std::atomic<std::uint64_t>> total_;  // of all fills, in bytes of the budget
  std::uint64_t charge_bytes_ = 0;
};

}  // namespace relay::edge::cache
