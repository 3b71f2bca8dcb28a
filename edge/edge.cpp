#include "edge/edge.hpp"

#include <fmt/format.h>

#include "common/base/check.hpp"
#include "common/base/log.hpp"
#include "common/net/timer.hpp"
#include "edge/cache_key.hpp"
#include "edge/flight_wait.hpp"
#include "edge/hls/directives.hpp"
#include "edge/interim.hpp"
#include "edge/part.hpp"

namespace relay::edge {
namespace {

// Another flight's variant, a store that was waited for, a large body that has changed: each sends
// a request back to look again. More than this is a bug upstream, or content that changes all the
// time.
constexpr int rounds_max = 4;

}  // namespace

struct Edge::Worker {
  Worker(net::asio::io_context& io, const AccessLog& log) : edge(io), log(log) {}
  EdgeWorker edge;
  AccessLogBuffer log;
  net::Timer* flush =
      nullptr;  // of flush_log(), while that runs: it must not outlive the io_context
  bool stopping = false;
};

Edge::Edge(const Settings& settings, cache::Cache& cache, fleet::Members& members,
           const fleet::Trust& trust, net::Blocking& blocking, PurgeJournal::Opened purges,
           Metrics& metrics, const AccessLog& log)
    : settings_(settings),
      live_(settings.live),
      cache_(cache),
      trust_(trust),
      log_(log),
      memory_(settings.flight_memory_bytes),
      purges_(settings.key_host),
      purge_journal_(std::move(purges.journal)),
      purge_sweep_(cache, flights_, purges_, *purge_journal_, metrics),
      purge_history_(settings.name),
      purger_(flights_, purges_, *purge_journal_, purge_sweep_, purge_history_),
      lookup_(cache, purges_, blocking),
      peer_key_(settings.fleet_key),
      roll_call_(members, peer_key_, [this] { return figures(); }),
      admission_(settings, members, peer_key_, metrics),
      upstream_(settings, members, peer_key_, changes_, metrics),
      deliver_(settings.name, blocking),
      sense_(cache, blocking, settings.key_host, metrics),
      fill_(settings, live_, cache, absences_, flights_, memory_, purges_, upstream_, sense_,
            metrics),
      prefetch_(settings, live_, cache, lookup_, flights_, memory_, purges_, fill_, sense_),
      live_playlists_(settings, upstream_, purges_, prefetch_, deliver_, metrics),
      slices_(settings, cache, lookup_, flights_, memory_, purges_, upstream_, deliver_, fill_,
              metrics),
      pass_(settings, cache, absences_, flights_, purges_, changes_, purge_sweep_, upstream_,
            deliver_),
      refused_(
          metrics.counter("relay_edge_refused_total", "requests that the framing gate refused")),
      body_bytes_(metrics.counter("relay_edge_body_bytes_total", "body bytes sent to clients")),
      seconds_(
          metrics.histogram("relay_edge_request_seconds", "from a request's head to its end")) {
  for (std::size_t i = 0; i < outcome_count; ++i) {
    std::string label = fmt::format("outcome=\"{}\"", name(static_cast<Outcome>(i)));
    requests_[i] =
        &metrics.counter("relay_edge_requests_total", "requests, by how they were answered", label);
  }
  SteadyTime now = steady_now();
  for (NumberedPurge& each : purges.purges) purges_.restore(std::move(each), now);
  purges_.begin_at(purges.run_begins_at);
  for (auto& [member, reach] : purges.fleet_reaches) purge_history_.restore(member, reach);
  for (FleetPurge& each : purges.fleet_purges) purge_history_.restore(std::move(each));
  if (purges.known) return;
  if (cache_.size() > 0) {
    log::warn("cache emptied: nothing tells what was purged", {log::kv("objects", cache_.size())});
  }
  // Until they are gone from the disk as well, the next start must empty it again.
  auto emptied = [this] {
    auto begun = purge_journal_->begin();
    if (!begun) log::error("purge journal cannot begin", {log::kv("why", begun.error().message)});
  };
  cache_.remove_if([](std::string_view) { return true; }, emptied);
}

/// Commits that are under way come back to the flights and the purge log: wait for the last.
Edge::~Edge() {
  cache_.wait_until_answered();
}

void Edge::add_worker(net::asio::io_context& io) {
  workers_.push_back(std::make_unique<Worker>(io, log_));
  if (log_.enabled()) net::spawn(io, flush_log(*workers_.back()));
}

void Edge::stop_worker(net::asio::io_context& io) {
  Worker& worker = worker_of(io);
  worker.stopping = true;
  prefetch_.stop();
  live_playlists_.stop();
  if (worker.flush) worker.flush->cancel();
  worker.edge.client.close_idle();
}

net::Task<void> Edge::flush_log(Worker& worker) {
  net::Timer timer(worker.edge.io);
  worker.flush = &timer;
  while (!worker.stopping) {
    timer.expires_after(std::chrono::seconds(1));
    co_await timer.async_wait(net::use_result);
    worker.log.flush();
  }
  worker.flush = nullptr;
}

Edge::Worker& Edge::worker_of(net::asio::io_context& io) {
  for (auto& worker : workers_) {
    if (&worker->edge.io == &io) return *worker;
  }
  RELAY_CHECK(!"an exchange on an io_context that was not added");
  std::unreachable();
}

net::Task<void> Edge::handle(net::Exchange& exchange) {
  Visit visit(exchange, worker_of(exchange.io()).edge);
  co_await serve(visit);
  finish(visit);
}

void Edge::refused(const http::Refusal& refusal, const std::string& peer) {
  refused_.add();
  // The session does not say which worker it is on; a line of its own is rare enough.
  AccessLogBuffer line(log_);
  line.add_refused(refusal.status, refusal.reason, peer);
}

/// RFC 9211: an answer of this cache's own has neither hit nor fwd.
void Edge::sign_refusal(http::Headers& response) const {
  http::CacheStatus entry;
  entry.cache = settings_.name;
  http::append_cache_status(response, entry);
  http::append_via(response, 1, settings_.name);
}

void Edge::finish(Visit& visit) {
  SteadyTime ended = steady_now();
  requests_[static_cast<std::size_t>(visit.outcome)]->add();
  body_bytes_.add(visit.exchange.body_bytes_sent());
  seconds_.observe(std::chrono::duration<double>(ended - visit.begun).count());
  if (log_.enabled()) worker_of(visit.worker.io).log.add(visit, ended);
}

net::Task<void> Edge::serve(Visit& visit) {
  const http::RequestHead& request = visit.request;
  if (request.target.starts_with("/-/") && co_await serve_own(visit)) co_return;
  if (auto refusal = admission_.judge(visit)) {
    co_await answer_locally(visit, refusal->status, refusal->text);
    co_return;
  }
  if (request.method == "GET" || request.method == "HEAD") {
    co_await serve_cacheable(visit);
    co_return;
  }
  if (http::forwards_left(request.method, request.fields) == 0) {
    co_await answer_as_last(visit);
    co_return;
  }
  visit.trail.forward = http::Forward::method;
  co_await pass_.forward(visit);
}

net::Task<void> Edge::serve_cacheable(Visit& visit) {
  if (settings_.client_directives) {
    visit.rules = http::read_request_directives(visit.request.fields);
  }
  if (LivePlaylists::may_be_for(visit) && trusts_stored() && co_await live_playlists_.serve(visit))
    co_return;
  for (int round = 0; round < rounds_max; ++round) {
    if (co_await serve_round(visit)) co_return;
  }
  visit.trail.forward = http::Forward::bypass;
  co_await pass_.forward(visit);
}

/// False: the answer to this round was for another variant, or is in the cache by now; look again.
net::Task<bool> Edge::serve_round(Visit& visit) {
  Found found = co_await look_up(visit);
  bool trusted = trusts_stored();
  // What another member has under way may be older than what this one would wait for.
  if (!trusted && visit.route != fleet::HopRoute::nobody) {
    visit.route = fleet::HopRoute::origin_only;
  }
  if (found) {
    Judgement judgement = judge(found.stored->freshness, visit.rules, visit.now);
    visit.trail.ttl = std::chrono::floor<std::chrono::seconds>(judgement.ttl);
    if (judgement.use != Use::revalidate && trusted) {
      bool stale = judgement.use == Use::stale_revalidate;
      if (stale) refresh_beside(visit, found);
      Outcome outcome = stale ? Outcome::stale : Outcome::hit;
      co_return co_await serve_found(visit, std::move(found), outcome);
    }
    visit.trail.forward = judgement.by_request ? http::Forward::request : http::Forward::stale;
  }
  bool held_only = visit.route == fleet::HopRoute::nobody;
  if (trusted && !held_only && co_await serve_absence(visit)) co_return true;
  Found part;
  if (!found && trusted) part = co_await find_part(visit);
  if (part && co_await serve_part(visit, part)) co_return true;
  bool needs_held = visit.rules.only_if_cached || held_only;
  if (held_only && trusted && co_await serve_what_has_come(visit)) co_return true;
  if (needs_held && !found && co_await stored_meanwhile(visit)) co_return false;
  if (needs_held) {
    visit.outcome = Outcome::refused;
    visit.trail = {};  // it went nowhere (RFC 9211 2.2)
    co_await answer_locally(visit, 504, "not in the cache, and the request wants nothing else");
    co_return true;
  }
  if (co_await serve_failed_lately(visit, found)) co_return true;
  bool is_head = visit.request.method == "HEAD";
  if (is_head && found && !has_validator(*found.stored)) {
    co_await pass_.forward_head(visit, found.object, found.stored);
    co_return true;
  }
  bool alone = is_head || asks_for_tail(visit.request) ||
               flights_.unshared(sharing_key(visit.key, visit.request.fields), visit.now);
  if (alone && !found && co_await stored_meanwhile(visit)) co_return false;
  bool not_for_others = http::read_request_directives(visit.request.fields).no_store;
  if (not_for_others || (alone && !found)) {
    co_await pass_.forward(visit);
    co_return true;
  }
  co_return co_await fly(visit, std::move(found), std::move(part));
}

/// False: it holds too little for this request.
net::Task<bool> Edge::serve_part(Visit& visit, const Found& part) {
  std::uint64_t held = part.object->body_bytes();
  auto plan = plan_from_part(visit.request, *part.stored, held);
  if (!plan) {
    visit.trail.forward = http::Forward::partial;
    co_return false;
  }
  visit.outcome = Outcome::hit;
  visit.trail.hit = true;
  visit.trail.forward = http::Forward::none;
  auto ttl = judge(part.stored->freshness, visit.rules, visit.now).ttl;
  visit.trail.ttl = std::chrono::floor<std::chrono::seconds>(ttl);
  bool whole = plan->kind == AnswerKind::whole;
  std::uint64_t length = whole ? held : extent_of(*part.stored, held)->length;
  co_await deliver_.part(visit, *part.object, *part.stored, std::move(*plan), length);
  co_return true;
}

/// False: look again.
net::Task<bool> Edge::serve_found(Visit& visit, Found found, Outcome outcome) {
  if (is_for_origin(visit.request, *found.stored)) {
    co_await ask_origin(visit);
    co_return true;
  }
  visit.outcome = outcome;
  visit.trail.hit = outcome == Outcome::hit || outcome == Outcome::stale;
  if (visit.trail.hit) visit.trail.forward = http::Forward::none;
  if (found.stored->sliced_bytes > 0) {
    std::string key = found.object->key();
    co_return co_await serve_sliced(visit, std::move(key), std::move(found.stored));
  }
  if (found.stored->media != hls::Kind::other) note_media(visit, found);
  co_await deliver_.object(visit, *found.object, *found.stored);
  co_return true;
}

void Edge::note_media(Visit& visit, const Found& found) {
  if (found.stored->media == hls::Kind::segment) prefetch_.note(visit);
  if (found.stored->media == hls::Kind::playlist && found.object) sense_.recall(visit, found);
}

FillRequest Edge::fill_request(const Visit& visit, Found stale) const {
  auto route = purges_.route_for(visit.primary_key, visit.route, visit.begun);
  FillRequest request{visit.primary_key, visit.target, route,
                      http::end_to_end(visit.request.fields), std::move(stale)};
  request.may_stand_in = trust_.holds(steady_now());
  return request;
}

/// A flight's answer is for all who waited for it; who comes when it is there gets it only if it
/// may be used again, and when it is whole only if it may be used for this request: it is as good
/// as stored then.
FlightTable::Joined Edge::join(const Visit& visit) {
  auto joined = flights_.join(visit.key, purges_.sequence(), memory_);
  if (joined.leader || !joined.flight) return joined;
  FlightView view = joined.flight->view();
  bool there = view.state == FlightState::streaming || view.state == FlightState::complete;
  const auto& rules = view.state == FlightState::complete ? visit.rules : http::RequestDirectives{};
  if (!there || judge(view.stored->freshness, rules, visit.now).use != Use::revalidate)
    return joined;
  flights_.leave(*joined.flight);
  return flights_.join(visit.key, purges_.sequence(), memory_);
}

net::Task<bool> Edge::fly(Visit& visit, Found stale, Found part) {
  auto joined = join(visit);
  if (!joined.flight) {
    co_return co_await serve_failed(visit, too_many_wait(), std::move(stale));
  }
  if (visit.beginning) joined.flight->offer(*visit.beginning);
  if (joined.leader) {
    // A flight that ended between our look and the join left its object in the cache.
    Found again = co_await find(visit.key);
    bool newer = again && again.stored->kind == StoredKind::response &&
                 again.object != stale.object &&
                 judge(again.stored->freshness, visit.rules, visit.now).use == Use::fresh;
    if (newer || co_await stored_meanwhile(visit)) {
      flights_.leave(*joined.flight);
      joined.flight->find(again.object);
      co_return false;
    }
    FillRequest request = fill_request(visit, stale);
    request.on_interim = interim_path(visit, settings_.name);
    if (part && is_beginning(*part.stored, part.object->body_bytes())) request.part = part;
    auto unshared = co_await lead(visit, joined.flight, std::move(request));
    if (unshared) {
      visit.outcome = Outcome::pass;
      co_await pass_.hand_on(visit, std::move(*unshared));
      co_return true;
    }
  }
  co_return co_await ride(visit, std::move(joined.flight), joined.leader, std::move(stale));
}

/// Waits for the flight's head and answers with what it brings.
net::Task<bool> Edge::ride(Visit& visit, std::shared_ptr<Flight> flight, bool leader, Found stale) {
  FlightView view = co_await past_asking(*flight, LivePlaylists::waits_until(visit));
  if (view.state == FlightState::asking) co_return co_await serve_late(visit, std::move(stale));
  // Of a part nothing is sent before all of it is there (RFC 8216bis-22 6.2.6).
  if (hls::is_part(visit.target)) view = co_await past_streaming(*flight);
  if (view.state == FlightState::found) co_return false;
  visit.trail.collapsed = !leader;
  visit.trail.forward_status = view.upstream_status;
  bool not_for_it = view.stored && view.stored->absence && has_credentials(visit.request.fields);
  if (view.state == FlightState::uncacheable || not_for_it) {
    visit.trail.forward_status.reset();
    co_await pass_.forward(visit);
    co_return true;
  }
  bool nothing_sent = !view.stored || hls::is_part(visit.target);
  if (view.state == FlightState::failed && nothing_sent) {
    co_return co_await serve_failed(visit, *view.error, std::move(stale));
  }
  if (view.state == FlightState::confirmed) {
    visit.upstream_trail = view.upstream_trail;
    visit.trail.ttl.reset();
    Found confirmed{view.object, view.stored};
    co_return co_await serve_found(visit, std::move(confirmed), Outcome::revalidated);
  }
  if (secondary_key(visit.primary_key, view.stored->vary, visit.request.fields) !=
      view.stored_key) {
    visit.vary = view.stored->vary;
    if (view.state == FlightState::complete) co_await stored_meanwhile(visit);
    co_return false;
  }
  if (is_for_origin(visit.request, *view.stored)) {
    co_await ask_origin(visit);
    co_return true;
  }
  visit.outcome = leader ? Outcome::miss : Outcome::joined;
  // Its head goes out before its body has come: "stored" says that it will be unless it breaks off.
  visit.trail.stored = leader && view.length && !flight->disowned();
  if (leader) visit.own_fields = view.own_fields;
  visit.trail.ttl.reset();
  if (view.state == FlightState::sliced) {
    visit.upstream_trail = view.upstream_trail;
    co_return co_await serve_sliced(visit, view.stored_key, view.stored);
  }
  if (view.stored->media != hls::Kind::other) note_media(visit, {nullptr, view.stored});
  co_await deliver_.flight(visit, *flight, std::move(view));
  co_return true;
}

}  // namespace relay::edge
