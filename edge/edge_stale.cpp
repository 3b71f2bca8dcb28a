// What a client gets while a stale copy is refreshed beside, and when upstream fails.
#include "edge/cache_key.hpp"
#include "edge/edge.hpp"

namespace relay::edge {

/// Not at once again when that was of no use a moment ago.
void Edge::refresh_beside(Visit& visit, Found stale) {
  std::uint64_t sequence = purges_.sequence();
  bool in_vain = flights_.unshared(failed_key(visit.key, sequence), visit.now) ||
                 flights_.unshared(refused_key(visit.key, sequence), visit.now);
  if (in_vain || visit.route == fleet::HopRoute::nobody) return;
  auto joined = flights_.join(visit.key, purges_.sequence(), memory_);
  if (!joined.leader) return;
  net::spawn(visit.worker.io, fill_.refresh_beside(visit.worker, joined.flight,
                                                   fill_request(visit, std::move(stale))));
}

bool Edge::may_stand_in(const Visit& visit, const Found& stale) {
  return trusts_stored() &&
         may_serve_stale_on_error(stale, purges_, visit.now, live_.stale_on_error());
}

/// Upstream failed when it was asked about it a moment ago. False: it did not, or look again.
net::Task<bool> Edge::serve_failed_lately(Visit& visit, Found stale) {
  bool failed = stale && flights_.unshared(failed_key(visit.key, purges_.sequence()), visit.now);
  if (!failed || !may_stand_in(visit, stale)) co_return false;
  visit.detail = "upstream failed a moment ago";
  co_return co_await serve_found(visit, std::move(stale), Outcome::stale);
}

/// Upstream gave no usable answer. False: look again.
net::Task<bool> Edge::serve_failed(Visit& visit, const Error& error, Found stale) {
  visit.trail.forward_status.reset();
  if (may_stand_in(visit, stale)) {
    visit.detail = error.message;
    if (co_await serve_found(visit, std::move(stale), Outcome::stale)) co_return true;
  }
  bool may_wait = error.source == ErrorSource::upstream && !visit.outlasted && trusts_stored();
  if (may_wait && LivePlaylists::may_be_outlasted(visit)) {
    visit.outlasted = true;
    visit.detail = error.message;
    co_return co_await live_playlists_.outlast(visit);
  }
  co_await pass_.refuse(visit, error);
  co_return true;
}

}  // namespace relay::edge
