#include "edge/prefetch.hpp"

#include <chrono>
#include <utility>

#include "common/http/trail.hpp"
#include "edge/cache_key.hpp"
#include "edge/flight_wait.hpp"

namespace relay::edge {
namespace {

std::uint32_t seconds_of(SteadyTime now) {
  return static_cast<std::uint32_t>(
      std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count());
}

}  // namespace

Prefetch::Prefetch(const Settings& settings, const LiveValues& live, cache::Cache& cache,
                   const Lookup& lookup, FlightTable& flights, FlightMemory& memory,
                   const PurgeLog& purges, Fill& fill, MediaSense& sense)
    : settings_(settings),
      live_(live),
      cache_(cache),
      lookup_(lookup),
      flights_(flights),
      memory_(memory),
      purges_(purges),
      fill_(fill),
      sense_(sense),
      counts_(sense.counts()) {
}

void Prefetch::note(Visit& visit) {
  bool by_client = visit.route == fleet::HopRoute::peer_or_origin && visit.request.method == "GET";
  std::int64_t segments = live_.prefetch_segments();
  if (!by_client || segments == 0) return;
  auto place = sense_.playlists().find(visit.primary_key);
  if (!place) return;
  hls::Readers& readers = place->rendition->readers;
  if (readers.meet(place->sequence)) {
    (visit.outcome == Outcome::miss ? counts_.wasted : counts_.used).add();
  }
  std::uint32_t now_s = seconds_of(visit.begun);
  if (!readers.read(place->sequence, now_s)) return;
  auto timeline = place->rendition->newest.load();
  if (timeline->at(place->sequence) != visit.target) return;  // it has other numbers by now
  for (std::int64_t ahead = 1; ahead <= segments; ++ahead) {
    std::int64_t sequence = place->sequence + ahead;
    std::string_view target = timeline->at(sequence);
    if (target.empty()) return;
    if (!readers.claim(sequence, now_s)) continue;
    look_after(visit, {place->rendition, sequence}, target, timeline->key_of(target));
  }
}

void Prefetch::look_after(Visit& visit, Place next, std::string_view target, std::string key) {
  if (!may_begin(visit, key)) return;
  auto joined = flights_.join(key, purges_.sequence(), memory_);
  if (!joined.leader) return;
  under_way_.fetch_add(1, std::memory_order_relaxed);
  FillRequest request = request_for(visit, target, std::move(key));
  net::spawn(visit.worker.io,
             fetch(visit.worker, std::move(joined.flight), std::move(request), std::move(next)));
}

/// A client that comes for it itself is never held up by such limits.
bool Prefetch::may_begin(const Visit& visit, const std::string& key) {
  return !stopped_->load(std::memory_order_relaxed) &&
         under_way_.load(std::memory_order_relaxed) < prefetches_max && !cache_.has(key) &&
         !cache_.failing() && memory_.has_room(settings_.flight_memory_bytes / 2) &&
         !flights_.unshared(sharing_key(key, visit.request.fields), visit.now);
}

/// As the client would ask for it, but for what it said of the segment at hand alone.
FillRequest Prefetch::request_for(const Visit& visit, std::string_view target,
                                  std::string key) const {
  FillRequest request;
  request.route = purges_.route_for(key, visit.route, visit.begun);
  request.primary_key = std::move(key);
  request.target = target;
  request.viewer = http::end_to_end(visit.request.fields);
  for (std::string_view name : {"Cache-Control", "Pragma", "Range"}) request.viewer.remove(name);
  request.awaited = true;
  return request;
}

net::Task<void> Prefetch::fetch(EdgeWorker& worker, std::shared_ptr<Flight> flight,
                                FillRequest request, Place place) {
  hls::Readers& readers = place.rendition->readers;
  // A flight that ended between the look and the join left its object in the cache.
  Found again = co_await lookup_.find(flight->key());
  bool is_answer = again && again.stored->kind == StoredKind::response;
  if (is_answer && judge(again.stored->freshness, {}, wall_now()).use == Use::fresh) {
    flights_.leave(*flight);
    flight->find(again.object);
  } else {
    counts_.started.add();
    if (readers.expect(place.sequence)) counts_.wasted.add();
    if (is_answer) request.stale = std::move(again);
    bool came = co_await lead(worker, std::move(flight), std::move(request));
    if (came) counts_.completed.add();
    if (!came && readers.meet(place.sequence)) counts_.wasted.add();
  }
  under_way_.fetch_sub(1, std::memory_order_relaxed);
}

void Prefetch::await_part(EdgeWorker& worker, std::string target, std::string key) {
  bool may = !stopped_->load(std::memory_order_relaxed) && !cache_.has(key) &&
             memory_.has_room(settings_.flight_memory_bytes / 2);
  if (!may) return;
  auto joined = flights_.join(key, purges_.sequence(), memory_);
  if (!joined.leader) return;
  FillRequest request;
  request.route = purges_.route_for(key, fleet::HopRoute::peer_or_origin, steady_now());
  request.primary_key = std::move(key);
  request.target = std::move(target);
  request.awaited = true;
  request.long_poll = stopped_;
  net::spawn(worker.io, fetch_part(worker, std::move(joined.flight), std::move(request)));
}

net::Task<void> Prefetch::fetch_part(EdgeWorker& worker, std::shared_ptr<Flight> flight,
                                     FillRequest request) {
  co_await lead(worker, std::move(flight), std::move(request));
}

/// Whether it came, whole and for everybody.
net::Task<bool> Prefetch::lead(EdgeWorker& worker, std::shared_ptr<Flight> flight,
                               FillRequest request) {
  auto unshared = co_await fill_.lead(worker, flight, std::move(request));
  if (unshared) co_return false;  // nobody waits for it: its connection closes
  FlightView view = co_await past_streaming(*flight);
  bool ended_well = view.state == FlightState::complete || view.state == FlightState::confirmed;
  bool came = ended_well && view.stored->status == 200;
  co_return came;
}

}  // namespace relay::edge
