// Fetches the next segments of a playlist ahead of a client that goes through it in sequence, the
// same way as that client's miss would go: as a flight, by the owner first, then the origin. It is
// no request of a client: no line in the access log, no count but its own.
//
// Not for readers who jump, other edges, playlists that nobody loaded here, or what the newest
// playlist does not name; and not while the store fails or much is on its way already.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "edge/cache/cache.hpp"
#include "edge/fill.hpp"
#include "edge/flight.hpp"
#include "edge/lookup.hpp"
#include "edge/media_sense.hpp"
#include "edge/purge_log.hpp"
#include "edge/settings.hpp"
#include "edge/visit.hpp"

namespace relay::edge {

/// Thread-safe; each call works for the visit's own worker.
class Prefetch {
 public:
  static constexpr int prefetches_max = 32;  // at once, over all workers

  Prefetch(const Settings& settings, const LiveValues& live, cache::Cache& cache,
           const Lookup& lookup, FlightTable& flights, FlightMemory& memory, const PurgeLog& purges,
           Fill& fill, MediaSense& sense);

  /// A segment is about to be given to the visit's client, from the cache or from a flight.
  void note(Visit& visit);
  /// The part of a live playlist that comes next: it is asked for before it is there, and upstream
  /// answers when it is. Not counted among the segments that are fetched ahead.
  void await_part(EdgeWorker& worker, std::string target, std::string key);
  /// Nothing is begun any more.
  void stop() { stopped_->store(true, std::memory_order_relaxed); }

 private:
  using Place = hls::Playlists::Place;
  void look_after(Visit& visit, Place next, std::string_view target, std::string key);
  bool may_begin(const Visit& visit, const std::string& key);
  FillRequest request_for(const Visit& visit, std::string_view target, std::string key) const;
  net::Task<void> fetch(EdgeWorker& worker, std::shared_ptr<Flight> flight, FillRequest request,
                        Place place);
  net::Task<void> fetch_part(EdgeWorker& worker, std::shared_ptr<Flight> flight,
                             FillRequest request);
  net::Task<bool> lead(EdgeWorker& worker, std::shared_ptr<Flight> flight, FillRequest request);

  const Settings& settings_;
  const LiveValues& live_;
  cache::Cache& cache_;
  const Lookup& lookup_;
  FlightTable& flights_;
  FlightMemory& memory_;
  const PurgeLog& purges_;
  Fill& fill_;
  MediaSense& sense_;
  PrefetchCounts& counts_;
  std::atomic<int> under_way_{0};
  const std::shared_ptr<std::atomic<bool>> stopped_ = std::make_shared<std::atomic<bool>>(false);
};

}  // namespace relay::edge
