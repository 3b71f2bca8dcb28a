// Whether this edge may trust what it has stored. Purges reach the members by news that they tell
// one another; an edge that a majority of the fleet has lately told all it knows cannot have missed
// a purge that a majority knows, for two majorities share a member. Each telling lends trust for
// one lease, counted from when the question was asked; an edge that was down, stopped or cut off
// for longer has none, and asks upstream about all that it holds until it was told again. (Gray and
// Cheriton, "Leases", SOSP 1989.)
//
// With a bus (edge/purge_stream) no purge counts as in force before the bus's stream has it. So an
// edge that has lately taken all of the stream needs nobody's word, and lends itself trust for a
// lease. What a majority says counts only for a while after that: the members that this edge knows
// are those of its last look at the bus, and meanwhile the fleet may have become another one.
// Thread-safe; time is given, not read.
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
/// may find a majority among the unaware; SteadyTime::min(): it already cannot. The last of what
/// was lent is waited for, even if more than one would make a majority: it may have read of one
/// member less by now.
std::optional<SteadyTime> fenced_at(std::size_t members, std::size_t unaware,
                                    const std::vector<SteadyTime>& lent_until);

/// Without trust a flight is joined for this long at most: what it brings may have been purged
/// since it began. So a member is only harmless this much after its trust has ended, or after the
/// purge when that came later: a purge waits so long while a member is away, and a member that is
/// cut off asks the origin for one key no more often than that.
inline constexpr std::chrono::milliseconds flight_distrust{250};

class Trust {
 public:
  /// `names`: of all members. One alone, and a lease of 0, is trust for ever. Leases that this edge
  /// lent before `start` are not known any more, and are taken as just lent.
  Trust(std::string self, const std::vector<std::string>& names, std::chrono::milliseconds lease,
        SteadyTime start);

  /// There is a bus. `outage`: for how long the word of a majority counts without it.
  void use_stream(std::chrono::milliseconds outage);
  /// This edge has taken all that the stream had when it was asked.
  void note_streamed(SteadyTime asked_at);
  /// Whether a majority told all it knew within a lease, lending or not; also when there are no
  /// others.
  bool told_by_majority(SteadyTime now) const;
  bool alone() const;
  /// Whether this edge has been without the bus for so long that others must not build on its word.
  bool cut_off(SteadyTime now) const;

  std::chrono::milliseconds lease() const { return lease_; }
  bool holds(SteadyTime now) const { return now < until_.load(std::memory_order_acquire); }

  /// A member has told all it knew, asked at `asked_at`, and this edge has taken it to heart.
  /// `lends`: false when the member is cut_off() itself.
  void note_told(std::string_view member, SteadyTime asked_at, bool lends = true);
  /// This edge is about to tell a member all it knows. Call before looking at what that is. False:
  /// it is none that is known here, and must not build on it, for purges do not wait for it.
  bool note_telling(std::string_view member, SteadyTime now);
  /// How long members, and those that were some, may still build on what this edge has told them;
  /// those with nothing left are not in it.
  std::map<std::string, std::chrono::milliseconds> lent(SteadyTime now) const;

  /// Members of a new configuration.
  void replace(const std::vector<std::string>& names);

 private:
  void settle();
  struct Told {
    SteadyTime lending = SteadyTime::min(), ever = SteadyTime::min();
  };
  SteadyTime told_until(SteadyTime Told::* when) const;

  const std::string self_;
  const std::chrono::milliseconds lease_;
  const SteadyTime start_;
  std::atomic<SteadyTime> until_{SteadyTime::min()};
  mutable std::mutex mutex_;                          // guards what follows
  std::map<std::string, Told, std::less<>> told_at_;  // the other members
  std::map<std::string, SteadyTime, std::less<>> lent_at_;
  std::optional<std::chrono::milliseconds> outage_;  // nothing: there is no bus
  SteadyTime streamed_at_ = SteadyTime::min();
};

}  // namespace relay::edge::fleet
