// Large bodies, slice by slice: a reader takes each slice from the cache or from a flight of that
// slice, which all its readers share, and has the next one fetched while it sends. So a range
// touches the slices that it lies in, and a whole body goes through with two slices in memory a
// reader at most.
#pragma once

#include <memory>
#include <string>

#include "common/base/metrics.hpp"
#include "edge/cache/cache.hpp"
#include "edge/deliver.hpp"
#include "edge/fill.hpp"
#include "edge/flight.hpp"
#include "edge/lookup.hpp"
#include "edge/purge_log.hpp"
#include "edge/settings.hpp"
#include "edge/slicing.hpp"
#include "edge/upstream.hpp"

namespace relay::edge {

/// One version of a large body, shared by its readers and flights.
struct SlicedBody {
  std::string key;      // of the body: where its head stands
  StoredPtr stored;     // its head, with the pinned validator
  FillRequest request;  // how it is asked for
};
using SlicedBodyPtr = std::shared_ptr<const SlicedBody>;

/// Thread-safe; each call works for the visit's own worker.
class Slices {
 public:
  Slices(const Settings& settings, cache::Cache& cache, const Lookup& lookup, FlightTable& flights,
         FlightMemory& memory, const PurgeLog& purges, Upstream& upstream, Deliver& deliver,
         const Fill& fill, Metrics& metrics);

  SlicedBodyPtr body_of(std::string key, StoredPtr stored, FillRequest request) const;

  /// Whether each slice that an answer to the visit needs is stored.
  net::Task<bool> holds(Visit& visit, std::string key, StoredPtr stored) const;

  /// Answers the visit. When the body changes on the way, the connection is reset. An error:
  /// nothing was sent, for the first slice could not be had under this version (conflict: it has
  /// changed, or the upstream does no ranges; source internal: too many wait for it).
  net::Task<Result<void>> serve(Visit& visit, SlicedBodyPtr body);

 private:
  /// A slice at hand: one of the two.
  struct Slice {
    cache::Pin object;
    std::shared_ptr<Flight> flight;
    bool at_hand() const { return object || flight; }
  };
  class Reader;

  net::Task<Result<Slice>> open(EdgeWorker& worker, const SlicedBodyPtr& body,
                                std::uint64_t number);
  net::Task<void> fetch(EdgeWorker& worker, std::shared_ptr<Flight> flight, SlicedBodyPtr body,
                        std::uint64_t number);
  net::Task<Result<Answered>> ask(EdgeWorker& worker, const SlicedBody& body,
                                  http::ByteRange range);
  net::Task<Result<void>> receive(EdgeWorker& worker, Flight& flight, const SlicedBody& body,
                                  http::ByteRange range, Answered& answered);
  net::Task<Result<void>> send_unshared(EdgeWorker& worker, net::Exchange& exchange,
                                        const SlicedBody& body, http::ByteRange range);
  void commit(std::shared_ptr<Flight> flight, const Answered& answered);
  void end_failed(Flight& flight, Error error);
  void forget(EdgeWorker& worker, const SlicedBody& body);

  const Settings& settings_;
  cache::Cache& cache_;
  const Lookup& lookup_;
  FlightTable& flights_;
  FlightMemory& memory_;
  const PurgeLog& purges_;
  Upstream& upstream_;
  Deliver& deliver_;
  const Fill& fill_;
  Counter& from_cache_;
  Counter& from_flight_;
  Counter& from_upstream_;
  Counter& unshared_;
  Counter& changed_;
};

}  // namespace relay::edge
