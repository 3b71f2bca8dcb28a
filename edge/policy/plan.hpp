// How the cache decides, in a few numbers, and what the operator wants of it. Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace relay::edge::policy {

/// What the operator counts: requests answered, bytes spared upstream, or the disk's wear (with no
/// more misses than LRU would have).
enum class Goal : std::uint8_t { objects, bytes, writes };

/// Which uses of a key count: all that the sketch remembers, or those of the time in which a cache
/// of this size changes what it holds a few times over.
enum class Memory : std::uint8_t { lasting, recent };

struct Plan {
  /// Share of the capacity that newcomers pass through in order of their last use.
  double window_share = 0.1;
  /// 1 counts objects (GDSF), 0 counts bytes, 0.5 gets most of both.
  double size_exponent = 0.5;
  /// 1 trusts how often a key was used, 0 only when: with no size exponent that is LRU.
  double frequency_exponent = 1;
  /// What may go on from the window into the store: keys used so often, as far as the sketch
  /// remembers, and worth so many times what would have to leave for it. 1 and 0 admit everything.
  unsigned admission_uses = 2;
  double admission_worth = 0;
  /// Whether all may go on while nothing would have to leave. Fills a new cache sooner, and writes
  /// what is never used again.
  bool fills_freely = true;
  /// Where the window's bodies lie. In the store: each is written as it comes, and what is not
  /// admitted at the window's end leaves. Else in memory: only what is admitted is written.
  bool window_is_stored = false;
  Memory memory = Memory::lasting;

  bool operator==(const Plan&) const = default;
};

/// Exactly LRU; the yardstick.
inline constexpr Plan lru_plan{0, 0, 0, 1, 0, true};

/// Memory for the window where the operator names none: nothing, for it may lie in the store as
/// well, unless writes are what the goal counts.
constexpr std::uint64_t usual_memory_bytes(Goal goal, std::uint64_t capacity_bytes) {
  return goal == Goal::writes ? capacity_bytes / 2 : 0;
}

std::string_view name_of(Goal goal);
std::string_view name_of(Memory memory);
/// objects for a name that is none.
Goal goal_of(std::string_view name);

}  // namespace relay::edge::policy
