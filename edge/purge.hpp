// What a purge names, and the memory of recent purges that keeps flights which began before one
// from bringing its content back. Matching is pure; PurgeLog is thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

#include "common/base/clock.hpp"
#include "common/base/error.hpp"

namespace relay::edge {

enum class PurgeBy { url, prefix, tag, tenant };

/// One purge. `text` is what the keys are compared with: a path with its query, a path's
/// beginning, a tag or a tenant's name.
struct Purge {
  PurgeBy by = PurgeBy::url;
  std::string text;
  std::string host;   // of an absolute url or prefix; empty: any host
  bool soft = false;  // mark stale instead of removing

  /// `key` is any cache key, primary or secondary: all variants go. A tag matches through
  /// `cache_tags` (StoredResponse::cache_tags) only.
  bool matches(std::string_view key, std::span<const std::string> cache_tags = {}) const;
  /// True for a tag: the key alone does not tell; the stored heads must be looked at.
  bool needs_tags() const { return by == PurgeBy::tag; }
};

/// The body of POST /purge: exactly one of "url", "prefix", "tag", "tenant", optionally "soft".
/// Errors: invalid, naming the member and what is allowed.
Result<Purge> parse_purge(std::string_view json);

/// The word of a kind, as in the JSON.
std::string_view name(PurgeBy by);

/// Recent purges with sequence numbers. A flight takes sequence() before it asks upstream; its
/// result may be stored, and others may join it, only while purged_since() is false. For a purge
/// by tag check once more after the object can be found, and remove it if true.
class PurgeLog {
 public:
  explicit PurgeLog(std::size_t remembered_max = 4096) : remembered_max_(remembered_max) {}

  std::uint64_t sequence() const { return newest_.load(std::memory_order_acquire); }
  /// Call before removing from the cache, so that no flight slips between. Returns its number.
  std::uint64_t add(Purge purge, SteadyTime now);
  /// Whether a purge that matches came after `begun`. One atomic load while there was none. True
  /// as well when `begun` is older than what is remembered.
  bool purged_since(std::uint64_t begun, std::string_view key,
                    std::span<const std::string> cache_tags = {}) const;
  /// Whether a matching purge came within peer_distrust before now. Another member may not have
  /// heard of it yet, so whoever fetches the key meanwhile asks the origin itself.
  bool purged_lately(std::string_view key, SteadyTime now) const;
  static constexpr std::chrono::milliseconds peer_distrust{60'000};

 private:
  struct Entry {
    Purge purge;
    SteadyTime at;
  };
  const std::size_t remembered_max_;
  std::atomic<std::uint64_t> newest_{0};
  mutable std::mutex mutex_;  // guards recent_; taken on purges and by flights that saw one
  std::deque<Entry> recent_;  // recent_.back() has the number newest_
  std::atomic<SteadyTime> newest_at_{SteadyTime::min()};
};

}  // namespace relay::edge
