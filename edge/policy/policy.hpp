// What is kept: the frequency sketch, the tuner that chooses the plan by it, and the tiers that the
// plan rules, put together. Pure; not thread-safe (the cache's store thread owns one).
//
// Per request: note() once, found or not; then tiers().touch() for a hit, or tiers().enter_window()
// for a newcomer. Whoever owns the bytes keeps the window within window_bytes() and the store
// within its capacity: tiers().oldest(), admits(), promote(), victim(), evict().
//
// Memory: 8 bytes a sketch column (`sketch_columns`, 2 to 128 MiB, taken as keys come), the tuner's
// entries_max, and about 100 bytes an object.
#pragma once

#include <cstddef>
#include <cstdint>

#include "edge/policy/sketch.hpp"
#include "edge/policy/tiers.hpp"
#include "edge/policy/tuner.hpp"

namespace relay::edge::policy {

struct PolicySettings {
  Goal goal = Goal::objects;
  std::uint64_t capacity_bytes = 0;    // window and store together
  std::uint64_t window_bytes_max = 0;  // memory for the window; 0: it lies in the store
  unsigned groups = 1;                 // of objects, see Order
};

/// Eight columns an expected object, of which a cache holds one for each 256 KiB.
std::size_t sketch_columns(std::uint64_t capacity_bytes);

class Policy {
 public:
  explicit Policy(const PolicySettings& settings);
  Policy(const Policy&) = delete;

  void note(const Use& use);
  /// What was here before a restart: known, and in the shadows, but nobody asked for it.
  void prime(const Use& use);
  Tiers& tiers() { return tiers_; }
  const Tiers& tiers() const { return tiers_; }
  const Tuner& tuner() const { return tuner_; }
  /// What the window may hold under the plan in force.
  std::uint64_t window_bytes() const;

 private:
  PolicySettings settings_;
  Sketch sketch_;
  Tuner tuner_;
  Tiers tiers_;
};

}  // namespace relay::edge::policy
