// Answers out of large bodies that are kept by slices.
#include "edge/edge.hpp"
#include "edge/slicing.hpp"

namespace relay::edge {

/// False: it has another version by now, or no ranges; look again.
net::Task<bool> Edge::serve_sliced(Visit& visit, std::string key, StoredPtr stored) {
  bool held_only = visit.route == fleet::HopRoute::nobody;
  if (held_only && !co_await slices_.holds(visit, key, stored)) {
    visit.outcome = Outcome::refused;
    visit.trail = {};
    co_await answer_locally(visit, 504, "not all of its slices are held");
    co_return true;
  }
  auto body = slices_.body_of(std::move(key), std::move(stored), fill_request(visit, {}));
  auto served = co_await slices_.serve(visit, body);
  if (served) co_return true;
  visit.trail.hit = false;
  visit.trail.forward = http::Forward::partial;
  // Too many wait for its first slice: upstream must not get one request for each of them.
  if (served.error().source == ErrorSource::internal) {
    co_await pass_.refuse(visit, served.error());
    co_return true;
  }
  if (served.error().kind != ErrorKind::conflict) {
    co_await pass_.forward(visit);
    co_return true;
  }
  bool replaced = !flights_.unshared(no_ranges_key(body->key), visit.now);
  // A member's flight wants a slice of this version or none: the new one would be thrown away.
  if (replaced && visit.route == fleet::HopRoute::owner_or_origin &&
      asks_for_slice(visit.request)) {
    visit.outcome = Outcome::failed;
    co_await answer_locally(visit, 412, "the body has another version by now");
    co_return true;
  }
  // What that flight brought for its first client, and its way, are not the next answer's.
  visit.own_fields.reset();
  visit.upstream_trail.clear();
  co_return false;
}

}  // namespace relay::edge
