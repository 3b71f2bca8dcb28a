// The leader's part of a flight: ask upstream, judge the answer, stream its body into the flight,
// commit it to the cache when it is whole. Runs on the thread of the request that began the
// flight, but never on behalf of that client alone.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "common/base/metrics.hpp"
#include "edge/absences.hpp"
#include "edge/cache/cache.hpp"
#include "edge/flight.hpp"
#include "edge/lookup.hpp"
#include "edge/media_sense.hpp"
#include "edge/purge_log.hpp"
#include "edge/settings.hpp"
#include "edge/upstream.hpp"
#include "edge/variants.hpp"
#include "edge/visit.hpp"

namespace relay::edge {

/// What to ask for. Owns all that it holds, for it may outlive the request.
struct FillRequest {
  std::string primary_key;
  std::string target;
  fleet::HopRoute route = fleet::HopRoute::peer_or_origin;
  http::Headers viewer;      // the end-to-end fields of the request
  Found stale;               // to be confirmed, if any
  Found part;                // a beginning to be completed, if any
  bool awaited = false;      // a reader is expected, not here yet: to be kept whatever its worth
  bool may_stand_in = true;  // `stale`, when upstream fails
  Upstream::GivenUp long_poll = nullptr;                // what Upstream::ask() takes
  std::weak_ptr<const net::OnInterim> on_interim = {};  // of the client that began the flight
};

class Fill {
 public:
  Fill(const Settings& settings, const LiveValues& live, cache::Cache& cache, Absences& absences,
       FlightTable& flights, FlightMemory& memory, const PurgeLog& purges, Upstream& upstream,
       MediaSense& sense, Metrics& metrics);

  /// For the leader of a flight. Afterwards the flight is past `asking`; while it streams, the
  /// rest goes on beside. An answer that may not be shared comes back, to be passed on by the
  /// leader; the flight is then uncacheable. Who waits for a playlist is woken each second until
  /// its head is there.
  net::Task<std::optional<Answered>> lead(EdgeWorker& worker, std::shared_ptr<Flight> flight,
                                          FillRequest request);

  /// Refreshes a stale response that is being served meanwhile.
  net::Task<void> refresh_beside(EdgeWorker& worker, std::shared_ptr<Flight> flight,
                                 FillRequest request);

  /// A GET for the whole, or with the validators of request.stale.
  net::ClientRequest upstream_request(const FillRequest& request, bool conditional) const;

 private:
  bool confirm(Flight& flight, const FillRequest& request, const Answered& answered);
  /// Bytes that a member holds, and the length of the whole.
  struct Held {
    Answered answered;
    std::uint64_t length = 0;
  };
  net::Task<Result<Answered>> ask(EdgeWorker& worker, Flight& flight, const FillRequest& request);
  net::Task<std::optional<Result<Answered>>> ask_for_rest(EdgeWorker& worker, Flight& flight,
                                                          const FillRequest& request);
  net::Task<Result<Answered>> ask_behind(EdgeWorker& worker, const Flight& flight,
                                         const FillRequest& request, const StoredResponse& part,
                                         std::uint64_t held, std::string holder);
  bool may_take_beginnings(const FillRequest& request, const Flight& flight) const;
  net::Task<std::optional<Held>> ask_holder(EdgeWorker& worker, const FillRequest& request,
                                            const Beginning& beginning, std::uint64_t first);
  net::Task<std::optional<Result<Answered>>> ask_behind_offered(EdgeWorker& worker,
                                                                const Flight& flight,
                                                                const FillRequest& request,
                                                                Beginning beginning);
  net::Task<void> skip_ahead(EdgeWorker& worker, Flight& flight, const FillRequest& request,
                             Answered& answered, Beginning beginning);
  net::Task<Result<Answered>> ask_for_whole(EdgeWorker& worker, const Flight& flight,
                                            const FillRequest& request);
  /// Why the answer may not be shared; empty when it may.
  std::string_view why_unshared(const FillRequest& request, const Answered& answered) const;
  void remember_unshared(const Flight& flight, const FillRequest& request, int status);
  bool tells_absence(const FillRequest& request, const Answered& answered) const;
  bool slice(EdgeWorker& worker, const std::shared_ptr<Flight>& flight, const FillRequest& request,
             const Answered& answered);
  void begin(Flight& flight, const FillRequest& request, const Answered& answered);
  net::Task<void> stream(EdgeWorker& worker, std::shared_ptr<Flight> flight, FillRequest request,
                         Answered answered);
  net::Task<Result<void>> receive(EdgeWorker& worker, Flight& flight, const FillRequest& request,
                                  Answered& answered);
  net::Task<Result<std::size_t>> read_next(Answered& answered, std::span<char> room);
  Result<void> check_growth(const Flight& flight, const FillRequest& request);
  net::Task<Result<void>> resume(EdgeWorker& worker, Flight& flight, const FillRequest& request,
                                 Answered& answered);
  bool has_room(std::uint64_t received, std::uint64_t length) const;
  void store_names(EdgeWorker& worker, const StoredResponse& stored, const std::string& stored_key,
                   const FillRequest& request);
  void bound_variants(EdgeWorker& worker, const std::string& key);
  Result<void> verify(Flight& flight, const Answered& answered) const;
  void commit(EdgeWorker& worker, std::shared_ptr<Flight> flight, const FillRequest& request,
              bool by_peer);
  void keep(EdgeWorker& worker, const std::shared_ptr<Flight>& flight, const FillRequest& request,
            cache::NewObject object);
  void keep_absence(const Flight& flight);
  void note_failure(const Flight& flight, const FillRequest& request, bool stands_in);
  void end_failed(Flight& flight, const FillRequest& request, Error error);

  const Settings& settings_;
  const LiveValues& live_;
  cache::Cache& cache_;
  Absences& absences_;
  FlightTable& flights_;
  FlightMemory& memory_;
  const PurgeLog& purges_;
  Upstream& upstream_;
  MediaSense& sense_;
  Variants variants_;
  Counter& aborted_;
  Counter& resumed_;
  Counter& beginnings_;
  Counter& unshared_;
  Counter& absent_;
};

}  // namespace relay::edge
