// Which purges are in force. A purge takes a number and raises the mark of what it names (a url, a
// tenant, a tag, everything; prefixes stand in a list of their own); an answer carries the number
// at which its fetch began, and is dead (after a soft purge stale) when one of its marks is newer.
// So a purge costs the same whatever the cache holds, and a hit pays two loads while nothing was
// purged since the object was last looked at. What is dead is taken away later, by PurgeSweep;
// marks that have no more work are forgotten after that, which keeps the log bounded.
//
// Thread-safe; no I/O, and time comes as a value.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "common/base/clock.hpp"
#include "common/base/error.hpp"
#include "edge/fleet/hop.hpp"
#include "edge/purge.hpp"

namespace relay::edge {

struct NumberedPurge {
  std::uint64_t number = 0;
  WallTime at{};
  Purge purge;
};

struct PurgeVerdict {
  bool dead = false;
  std::optional<WallTime> stale_from;  // after a soft purge
  bool untouched() const { return !dead && !stale_from; }
};

class PurgeLog {
 public:
  /// Purges that are remembered, and how many of them may be by prefix: each is compared with
  /// every key that is looked at after it.
  static constexpr std::size_t purges_max = 65'536;
  static constexpr std::size_t prefixes_max = 1'024;
  /// A purge is remembered for at least this long: another member may not have heard of it yet, so
  /// whoever fetches what it named asks the origin itself.
  static constexpr std::chrono::milliseconds peer_distrust{60'000};

  /// `key_host`: whether keys begin with a host; if not, the host of a purge does not count.
  explicit PurgeLog(bool key_host) : key_host_(key_host) {}

  /// The number of the newest purge.
  std::uint64_t sequence() const { return newest_.load(std::memory_order_acquire); }
  /// Purges of this run are numbered from here on: above all numbers of runs before it.
  void begin_at(std::uint64_t number);
  /// From now on answers whose fetch began earlier are judged by it. Returns its number. Errors:
  /// unavailable while too many purges wait for the sweep.
  Result<std::uint64_t> add(Purge purge, WallTime at, SteadyTime now);
  /// A purge of an earlier run, in the order of numbers.
  void restore(NumberedPurge purge, SteadyTime now);

  /// For an answer whose fetch began at `begun`; `tags` is called only when purges by tag are
  /// remembered. `key` is any cache key, primary or secondary.
  using Tags = std::function<std::span<const std::string>()>;
  PurgeVerdict judge(std::uint64_t begun, std::string_view key, const Tags& tags) const;
  /// The same for what is not stored yet: true as well when `begun` is older than what is
  /// remembered.
  bool purged_since(std::uint64_t begun, std::string_view key,
                    std::span<const std::string> tags) const;
  /// Whether a purge that names the key came within peer_distrust before `now`. What a tag names
  /// is in the answers only, so one by tag counts for every key.
  bool purged_lately(std::string_view key, SteadyTime now) const;
  /// Whom to ask for the key now: as `wished`, but after such a purge the origin only, for a member
  /// may not have heard of it.
  fleet::HopRoute route_for(std::string_view key, fleet::HopRoute wished, SteadyTime now) const;

  /// Everything that purges up to this number named is gone from the store.
  void note_swept(std::uint64_t through);
  std::uint64_t swept() const { return swept_.load(std::memory_order_acquire); }
  /// Forgets purges that are swept, older than peer_distrust and than every flight (`oldest_begun`
  /// is the least number that one began at). Returns the number up to which it did.
  std::uint64_t forget(std::uint64_t oldest_begun, SteadyTime now);
  std::size_t size() const;

 private:
  struct Mark {
    std::uint64_t hard = 0, soft = 0;  // numbers; 0: none
    WallTime soft_at{};
    SteadyTime at{};  // of the newer one
  };
  struct Remembered {
    std::uint64_t number;
    SteadyTime at;
    PurgeBy by;
    std::uint64_t hash;  // of its mark, or
    std::string prefix;
  };
  void put(NumberedPurge purge, SteadyTime now);
  void drop_oldest();
  /// Calls `see` with each mark that concerns the key, but for those of tags.
  template <class See>
  void each_mark(std::string_view key, See&& see) const;
  template <class See>
  void each_prefix(std::string_view text, See&& see) const;
  template <class See>
  void at_hash(std::uint64_t hash, See&& see) const;

  const bool key_host_;
  std::atomic<std::uint64_t> newest_{0};
  std::atomic<std::uint64_t> swept_{0};
  std::atomic<SteadyTime> newest_at_{SteadyTime::min()};
  mutable std::shared_mutex mutex_;  // guards what follows
  std::unordered_map<std::uint64_t, Mark> marks_;
  std::map<std::string, Mark, std::less<>> prefixes_;
  std::deque<Remembered> order_;
  std::uint64_t forgotten_ = 0;
  std::array<std::size_t, 5> counts_{};  // remembered ones, by kind
  SteadyTime newest_tag_at_ = SteadyTime::min();
  SteadyTime dropped_at_ = SteadyTime::min();  // the newest that was forgotten before its time
};

}  // namespace relay::edge
