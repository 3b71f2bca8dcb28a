// How often a request may have changed what a key names, so that an answer which was under way
// meanwhile, and that no flight brought, is not kept.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "common/base/hash.hpp"

namespace relay::edge {

/// Thread-safe. Keys share a count now and then: then something is not kept that might have been.
class ChangeCounts {
 public:
  std::uint32_t of(std::string_view primary) const {
    return counts_[slot(primary)].load(std::memory_order_acquire);
  }
  void raise(std::string_view primary) {
    counts_[slot(primary)].fetch_add(1, std::memory_order_acq_rel);
  }

 private:
  static constexpr std::size_t slots = 1024;
  static std::size_t slot(std::string_view primary) { return hash64(primary) % slots; }
  std::array<std::atomic<std::uint32_t>, slots> counts_{};
};

}  // namespace relay::edge
