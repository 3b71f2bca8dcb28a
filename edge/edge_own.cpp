// What an edge answers for itself and to its fleet, and whether it may trust what it holds.
#include <algorithm>

#include "common/http/problem.hpp"
#include "edge/cache_key.hpp"
#include "edge/edge.hpp"

namespace relay::edge {

/// False: this is the upstream's to answer.
net::Task<bool> Edge::serve_own(Visit& visit) {
  std::optional<http::Response> own = roll_call_.answer(visit.exchange);
  if (!own) {
    auto asked = std::ranges::find(peer_targets_, visit.request.target, &PeerTarget::target);
    if (asked == peer_targets_.end()) co_return false;
    own = co_await asked->desk->answer(visit.exchange);
  }
  deliver_.add_hop_fields(visit, own->headers);
  co_await visit.exchange.respond(std::move(*own));
  co_return true;
}

/// Max-Forwards says that this is where the request ends. What an edge knows of a target's options
/// is nothing; and it reflects nothing, for credentials would come back with the rest.
net::Task<void> Edge::answer_as_last(Visit& visit) {
  if (visit.request.method != "OPTIONS") {
    co_return co_await answer_locally(visit, 501, "an edge answers no TRACE itself");
  }
  http::Response response{204, {}, {}};
  deliver_.add_hop_fields(visit, response.headers);
  co_await visit.exchange.respond(std::move(response));
}

net::Task<void> Edge::answer_locally(Visit& visit, int status, std::string_view text) {
  co_await deliver_.refuse(visit, http::problem(status, text));
}

/// A condition that what is here does not fulfil, and that only the origin may judge.
net::Task<void> Edge::ask_origin(Visit& visit) {
  visit.trail = {};
  if (visit.rules.only_if_cached || visit.route == fleet::HopRoute::nobody) {
    visit.outcome = Outcome::refused;
    co_await answer_locally(visit, 504, "only the origin may judge a condition of this request");
    co_return;
  }
  visit.trail.forward = http::Forward::request;
  co_await pass_.forward(visit);
}

fleet::Figures Edge::figures() const {
  cache::CacheStats held = cache_.stats();
  fleet::Figures figures{held.objects, held.body_bytes, 0, body_bytes_.value()};
  for (const Counter* each : requests_) figures.requests += each->value();
  return figures;
}

/// While it may not, everything is asked for anew; and nobody joins a flight that began more than
/// flight_distrust ago, for what it brings may have been purged since.
bool Edge::trusts_stored() {
  SteadyTime now = steady_now();
  if (trust_.holds(now)) return true;
  SteadyTime last = disowned_at_.load(std::memory_order_acquire);
  bool due = last == SteadyTime::min() || now - last >= fleet::flight_distrust;
  if (due && disowned_at_.compare_exchange_strong(last, now)) {
    flights_.disown_if([](const Flight&) { return true; });
  }
  return false;
}

/// Another member wants what is held: that is as well what a flight has brought so far. Never what
/// it is still to bring, for the flight may be waiting for that member. False: it is not that.
net::Task<bool> Edge::serve_what_has_come(Visit& visit) {
  auto flight = flights_.find(visit.key);
  if (!flight) co_return false;
  FlightView view = flight->view();
  bool landing = view.state == FlightState::complete &&
                 judge(view.stored->freshness, {}, visit.now).use != Use::revalidate;
  bool here =
      (landing || view.state == FlightState::streaming) && view.length &&
      has_come(visit.request, *view.stored, *view.length, view.received) &&
      secondary_key(visit.primary_key, view.stored->vary, visit.request.fields) == view.stored_key;
  if (!here) co_return false;
  visit.outcome = Outcome::joined;
  visit.trail.collapsed = true;
  visit.trail.forward_status = view.upstream_status;
  co_await deliver_.flight(visit, *flight, std::move(view));
  co_return true;
}

}  // namespace relay::edge
