// Finds stored responses that may be used: of right bytes, readable, and not purged since their
// fetch began.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

#include "common/base/clock.hpp"
#include "common/net/blocking.hpp"
#include "edge/cache/cache.hpp"
#include "edge/purge_log.hpp"
#include "edge/stored.hpp"

namespace relay::edge {

using StoredPtr = std::shared_ptr<const StoredResponse>;

/// A stored response together with its object.
struct Found {
  cache::Pin object;
  StoredPtr stored;
  explicit operator bool() const { return object != nullptr; }
};

/// Whether a hard purge named it since its fetch began: for what was found before a wait and is to
/// be used after it. False for none.
bool is_dead(const Found& found, const PurgeLog& purges);
/// Whether it may be served although upstream failed to tell of it (RFC 5861 4), for `grace` where
/// nobody said for how long.
bool may_serve_stale_on_error(const Found& stale, const PurgeLog& purges, WallTime now,
                              std::chrono::milliseconds grace);

/// Thread-safe.
class Lookup {
 public:
  /// The pool verifies bodies that an unclean stop left in doubt.
  Lookup(cache::Cache& cache, const PurgeLog& purges, net::Blocking& blocking)
      : cache_(cache), purges_(purges), blocking_(blocking) {}

  /// Empty when there is none. Softly purged ones come back stale.
  net::Task<Found> find(std::string key) const;

 private:
  void drop_unreadable(const cache::Pin& object) const;
  StoredPtr outlived(const cache::Pin& object, StoredPtr stored) const;

  cache::Cache& cache_;
  const PurgeLog& purges_;
  net::Blocking& blocking_;
  mutable std::atomic<bool> told_unreadable_ = false;
};

}  // namespace relay::edge
