// Takes away what purges named, behind them: a purge itself only raises a mark. Walks the index in
// short steps on a thread of its own, removes what is dead, writes down what is stale, and then
// lets the log and the journal forget.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "common/base/metrics.hpp"
#include "edge/cache/cache.hpp"
#include "edge/flight.hpp"
#include "edge/purge_journal.hpp"
#include "edge/purge_log.hpp"

namespace relay::edge {

class PurgeSweep {
 public:
  /// What a purge may look at before it is answered: a cache with no more objects than this is
  /// swept at once.
  static constexpr std::size_t at_once_objects_max = 4096;

  PurgeSweep(cache::Cache& cache, const FlightTable& flights, PurgeLog& log, PurgeJournal& journal,
             Metrics& metrics);
  /// Ends the thread.
  ~PurgeSweep();

  void start();
  /// There is a new purge.
  void wake();
  /// Removes what is dead and marks what is stale by now. Returns how many objects that were; with
  /// more than at_once_objects_max in the cache nothing is done. Any thread.
  std::optional<std::uint64_t> sweep_at_once();

 private:
  struct Swept {
    std::uint64_t objects = 0;
    bool whole = true;  // false: the sweep was ended
  };
  void run();
  bool sweep_all();
  Swept sweep(const std::function<bool()>& go_on);
  bool reclaim(const cache::Pin& object);
  bool wait_for_store();
  void forget();

  cache::Cache& cache_;
  const FlightTable& flights_;
  PurgeLog& log_;
  PurgeJournal& journal_;
  Counter& looked_at_;
  Counter& reclaimed_;
  std::mutex mutex_;  // guards the two below
  std::condition_variable changed_;
  bool woken_ = false;
  bool stopping_ = false;
  std::thread thread_;  // last: it uses the others
};

}  // namespace relay::edge
