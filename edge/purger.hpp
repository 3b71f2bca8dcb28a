// Carries purges out at this edge: what is named goes from the cache and from the flights under
// way, and stays gone (DESIGN invariant 4). Those that operators ask for here get their stamp here;
// those that other members took come as news.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/error.hpp"
#include "edge/flight.hpp"
#include "edge/purge_history.hpp"
#include "edge/purge_journal.hpp"
#include "edge/purge_log.hpp"
#include "edge/purge_sweep.hpp"

namespace relay::edge {

/// Thread-safe. Both calls wait for the disk: make them on the blocking pool.
class Purger {
 public:
  Purger(FlightTable& flights, PurgeLog& log, PurgeJournal& journal, PurgeSweep& sweep,
         PurgeHistory& history);

  struct Purged {
    std::uint64_t number = 0;
    /// How many, also of those that earlier purges left to the sweep; nothing: all are left to it.
    std::optional<std::uint64_t> objects;
    PurgeId id;  // its name in the fleet; empty for one of here only
  };
  /// What the purge names is gone (or stale) here when this returns, and a restart can't bring it
  /// back. Its work does not grow with the cache. Errors: unavailable (too many purges at once:
  /// nothing happened), or the disk's (it is in force, but a restart may undo it).
  Result<Purged> purge(const Purge& purge);

  /// The same for purges that others tell of. Those that are known already cost nothing; when
  /// some are missing between them and what is known here, everything is purged. Errors as above;
  /// then the news is not taken and has to be told again.
  Result<void> take(const PurgeNews& news);

 private:
  Result<NumberedPurge> mark(const Purge& purge, WallTime at);
  Result<std::vector<NumberedPurge>> mark_all(const PurgeChange& change);

  FlightTable& flights_;
  PurgeLog& log_;
  PurgeJournal& journal_;
  PurgeSweep& sweep_;
  PurgeHistory& history_;
  std::mutex mutex_;  // held from a change of the history's making until it is adopted
};

}  // namespace relay::edge
