// How finds tell the policy of uses: a few rings of ids, one a thread as long as there are not
// more threads than rings. Lossy: when the store thread falls behind, the oldest reports are
// overwritten. The policy then sees a sample, and each report that is left stands for those lost
// beside it: else the hits would be too few beside the misses, which are never lost.
//
// A report is one atomic increment and one store on a line that no other core writes. A ring takes
// memory when its thread has something to report.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "common/base/zeros.hpp"

namespace relay::edge::cache {

class UsageRings {
 public:
  static constexpr std::size_t ring_count = 32;
  static constexpr std::size_t ring_slots = 4096;

  /// Ids are never 0. From any thread.
  void report(std::uint64_t id) {
    std::size_t number = thread_number() % ring_count;
    std::uint64_t at = rings_[number].next.fetch_add(1, std::memory_order_relaxed);
    slot(number, at).store(id, std::memory_order_relaxed);
  }

  /// Hands every report that is still there to `use(id, weight)`, `weight` (at least 1) of its
  /// thread's uses for each; returns how many there were. Store thread only.
  template <class Use>
  std::size_t drain(Use&& use) {
    std::size_t count = 0;
    for (std::size_t number = 0; number < ring_count; ++number) {
      Ring& ring = rings_[number];
      std::uint64_t end = ring.next.load(std::memory_order_relaxed);
      double weight = 1;
      if (std::uint64_t all = end - ring.seen; all > ring_slots) {
        weight = static_cast<double>(all) / ring_slots;
        ring.seen = end - ring_slots;
      }
      for (; ring.seen != end; ++ring.seen) {
        // 0: the reporter has its place but has not written yet; that report is lost.
        std::uint64_t id = slot(number, ring.seen).exchange(0, std::memory_order_relaxed);
        if (id == 0) continue;
        use(id, weight);
        ++count;
      }
    }
    return count;
  }

 private:
  struct alignas(128) Ring {
    std::atomic<std::uint64_t> next{0};
    std::uint64_t seen = 0;  // the store thread's
  };
  std::atomic_ref<std::uint64_t> slot(std::size_t ring, std::uint64_t at) {
    return std::atomic_ref(slots_[ring * ring_slots + at % ring_slots]);
  }
  static std::size_t thread_number() {
    static std::atomic<std::size_t> threads{0};
    thread_local const std::size_t mine = threads.fetch_add(1, std::memory_order_relaxed);
    return mine;
  }

  std::array<Ring, ring_count> rings_;
  Zeros<std::uint64_t> slots_{ring_count * ring_slots};
};

}  // namespace relay::edge::cache
