// Whether this edge may trust what it has stored. Purges reach the members by news that they tell
// one another; an edge that a majority of the fleet has lately told all it knows cannot have missed
// a purge that a majority knows, for two majorities share a member. Each telling lends trust for
// one lease, counted from when the question was asked; an edge that was down, stopped or cut off
// for longer has none, and asks upstream about all that it holds until it was told again. (Gray and
// Cheriton, "Leases", SOSP 1989.) Thread-safe; time is given, not read.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.hpp"

namespace relay::edge::fleet {

/// How many members, this one included, are more than half of so many.
std::size_t majority(std::size_t members);

/// When a member that has not heard of something can certainly no longer trust its store.
/// `members`: of the fleet; `unaware`: those of them that have not heard, that one included;
/// `lent_until`: what each of the others has lent it before hearing itself. Nullopt: never, for it
/// may find a majority among the unaware; SteadyTime::min(): it already cannot.
std::optional<SteadyTime> fenced_at(std::size_t members, std::size_t unaware,
                                    std::vector<SteadyTime> lent_until);

/// Without trust a flight is joined for this long at most: what it brings may have been purged
/// since it began. So a member is only harmless this much after its trust has ended.
inline constexpr std::chrono::milliseconds flight_distrust{1'000};

class Trust {
 public:
  /// `names`: of all members. One alone, and a lease of 0, is trust for ever. Leases that this edge
  /// lent before `start` are not known any more, and are taken as just lent.
  Trust(std::string self, const std::vector<std::string>& names, std::chrono::milliseconds lease,
        SteadyTime start);

  std::chrono::milliseconds lease() const { return lease_; }
  bool holds(SteadyTime now) const { return now < until_.load(std::memory_order_acquire); }

  /// A member has told all it knew, asked at `asked_at`, and this edge has taken it to heart.
  void note_told(std::string_view member, SteadyTime asked_at);
  /// This edge is about to tell a member all it knows. Call before looking at what that is.
  void note_telling(std::string_view member, SteadyTime now);
  /// How long members may still build on what this edge has told them; those with nothing left
  /// are not in it.
  std::map<std::string, std::chrono::milliseconds> lent(SteadyTime now) const;

  /// Members of a new configuration.
  void replace(const std::vector<std::string>& names);

 private:
  void settle();

  const std::string self_;
  const std::chrono::milliseconds lease_;
  const SteadyTime start_;
  std::atomic<SteadyTime> until_{SteadyTime::min()};
  mutable std::mutex mutex_;                                // guards what follows
  std::map<std::string, SteadyTime, std::less<>> told_at_;  // the other members
  std::map<std::string, SteadyTime, std::less<>> lent_at_;
};

}  // namespace relay::edge::fleet
