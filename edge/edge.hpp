// The life of a request at an edge: admit, key, look up, judge, then serve from the cache, join or
// lead a flight, or pass it on; and at the end one line in the log and one count.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <vector>

#include "common/base/metrics.hpp"
#include "common/net/blocking.hpp"
#include "common/net/handler.hpp"
#include "edge/absences.hpp"
#include "edge/access_log.hpp"
#include "edge/admission.hpp"
#include "edge/cache/cache.hpp"
#include "edge/deliver.hpp"
#include "edge/fill.hpp"
#include "edge/fleet/members.hpp"
#include "edge/fleet/trust.hpp"
#include "edge/flight.hpp"
#include "edge/live_playlists.hpp"
#include "edge/lookup.hpp"
#include "edge/media_sense.hpp"
#include "edge/pass.hpp"
#include "edge/peer_desk.hpp"
#include "edge/prefetch.hpp"
#include "edge/purge_history.hpp"
#include "edge/purge_journal.hpp"
#include "edge/purge_log.hpp"
#include "edge/purge_sweep.hpp"
#include "edge/purger.hpp"
#include "edge/roll_call.hpp"
#include "edge/settings.hpp"
#include "edge/slices.hpp"
#include "edge/upstream.hpp"
#include "edge/visit.hpp"

namespace relay::edge {

class Edge final : public net::Handler {
 public:
  Edge(const Settings& settings, cache::Cache& cache, fleet::Members& members,
       const fleet::Trust& trust, net::Blocking& blocking, PurgeJournal::Opened purges,
       Metrics& metrics, const AccessLog& log);
  ~Edge() override;

  /// Begins to take away what purges of this and earlier runs named. Once.
  void start() { purge_sweep_.start(); }
  /// Call for each worker's io_context before the server runs.
  void add_worker(net::asio::io_context& io);
  /// On a worker's own thread, when the program drains.
  void stop_worker(net::asio::io_context& io);

  net::Task<void> handle(net::Exchange& exchange) override;
  void refused(const http::Refusal& refusal, const std::string& peer) override;
  void sign_refusal(http::Headers& response) const override;

  /// What its requests go by from now on. Thread-safe.
  void take_on(const LiveSettings& next) { live_.take_on(next); }

  /// For what carries purges to and from this edge.
  Purger& purger() { return purger_; }
  PurgeHistory& purge_history() { return purge_history_; }
  const fleet::PeerKey& peer_key() const { return peer_key_; }
  RollCall& roll_call() { return roll_call_; }
  /// What this edge holds and has done.
  fleet::Figures figures() const;
  /// Who answers what other members ask at a target below /-/. Before the server runs; outlives it.
  void add_peer_desk(std::string_view target, PeerDesk& desk) {
    peer_targets_.push_back({target, &desk});
  }
  /// The door for changes, see edge/change_spread.
  Pass& pass() { return pass_; }

  const FlightTable& flights() const { return flights_; }
  const FlightMemory& flight_memory() const { return memory_; }

 private:
  struct Worker;
  Worker& worker_of(net::asio::io_context& io);
  net::Task<void> serve(Visit& visit);
  net::Task<bool> serve_own(Visit& visit);
  bool trusts_stored();
  net::Task<void> serve_cacheable(Visit& visit);
  net::Task<bool> serve_round(Visit& visit);
  net::Task<Found> look_up(Visit& visit);
  net::Task<Found> find(const std::string& key);
  net::Task<Found> find_variant(Visit& visit, const std::vector<std::string>& names);
  net::Task<Found> find_part(Visit& visit);
  net::Task<bool> serve_absence(Visit& visit);
  net::Task<bool> serve_part(Visit& visit, const Found& part);
  net::Task<bool> serve_what_has_come(Visit& visit);
  net::Task<bool> serve_found(Visit& visit, Found found, Outcome outcome);
  net::Task<void> ask_origin(Visit& visit);
  net::Task<bool> stored_meanwhile(Visit& visit);
  FlightTable::Joined join(const Visit& visit);
  net::Task<bool> serve_sliced(Visit& visit, std::string key, StoredPtr stored);
  net::Task<bool> fly(Visit& visit, Found stale, Found part);
  net::Task<bool> ride(Visit& visit, std::shared_ptr<Flight> flight, bool leader, Found stale);
  struct Leading;
  net::Task<std::optional<Answered>> lead(Visit& visit, std::shared_ptr<Flight> flight,
                                          FillRequest request);
  net::Task<void> lead_beside(EdgeWorker& worker, std::shared_ptr<Leading> leading,
                              std::shared_ptr<Flight> flight, FillRequest request);
  net::Task<bool> serve_late(Visit& visit, Found stale);
  bool may_stand_in(const Visit& visit, const Found& stale);
  net::Task<bool> serve_failed_lately(Visit& visit, Found stale);
  net::Task<bool> serve_failed(Visit& visit, const Error& error, Found stale);
  net::Task<void> answer_as_last(Visit& visit);
  net::Task<void> answer_locally(Visit& visit, int status, std::string_view text);
  void refresh_beside(Visit& visit, Found stale);
  FillRequest fill_request(const Visit& visit, Found stale) const;
  /// Before it is served: a segment read in sequence has the next one fetched, a playlist is
  /// learnt.
  void note_media(Visit& visit, const Found& found);
  void finish(Visit& visit);
  net::Task<void> flush_log(Worker& worker);

  const Settings& settings_;
  LiveValues live_;
  cache::Cache& cache_;
  const fleet::Trust& trust_;
  std::atomic<SteadyTime> disowned_at_{SteadyTime::min()};  // all flights, for want of trust
  struct PeerTarget {
    std::string_view target;
    PeerDesk* desk;
  };
  std::vector<PeerTarget> peer_targets_;
  const AccessLog& log_;
  Absences absences_;
  FlightTable flights_;
  FlightMemory memory_;
  PurgeLog purges_;
  ChangeCounts changes_;
  std::unique_ptr<PurgeJournal> purge_journal_;
  PurgeSweep purge_sweep_;
  PurgeHistory purge_history_;
  Purger purger_;
  Lookup lookup_;
  const fleet::PeerKey peer_key_;
  RollCall roll_call_;
  Admission admission_;
  Upstream upstream_;
  Deliver deliver_;
  MediaSense sense_;
  Fill fill_;
  Prefetch prefetch_;
  LivePlaylists live_playlists_;
  Slices slices_;
  Pass pass_;
  std::vector<std::unique_ptr<Worker>> workers_;  // fixed before the server runs
  std::array<Counter*, outcome_count> requests_;
  Counter& refused_;
  Counter& body_bytes_;
  Histogram& seconds_;
};

}  // namespace relay::edge
