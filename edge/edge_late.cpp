// What a viewer gets of a playlist while upstream has taken the request and says nothing: players
// give up after few errors, but before the deadline of an upstream request is over. The fetch goes
// on for whoever asks again.
#include "common/net/timer.hpp"
#include "edge/edge.hpp"

namespace relay::edge {

/// A flight's leader and the fetch beside it; all on one thread.
struct Edge::Leading {
  explicit Leading(net::asio::io_context& io) : bell(io) {}
  net::Timer bell;
  bool ended = false;
  std::optional<Answered> unshared;
};

net::Task<void> Edge::lead_beside(EdgeWorker& worker, std::shared_ptr<Leading> leading,
                                  std::shared_ptr<Flight> flight, FillRequest request) {
  leading->unshared = co_await fill_.lead(worker, std::move(flight), std::move(request));
  leading->ended = true;
  leading->bell.cancel();
}

/// As Fill::lead, but for as long as the visit may wait: then the flight is still asking, and what
/// it brings is for others.
net::Task<std::optional<Answered>> Edge::lead(Visit& visit, std::shared_ptr<Flight> flight,
                                              FillRequest request) {
  SteadyTime until = LivePlaylists::waits_until(visit);
  if (until == SteadyTime::max())
    co_return co_await fill_.lead(visit.worker, std::move(flight), std::move(request));
  auto leading = std::make_shared<Leading>(visit.worker.io);
  leading->bell.expires_at(until);
  net::spawn(visit.worker.io,
             lead_beside(visit.worker, leading, std::move(flight), std::move(request)));
  if (!leading->ended) co_await leading->bell.async_wait(net::use_result);
  co_return std::move(leading->unshared);
}

net::Task<bool> Edge::serve_late(Visit& visit, Found stale) {
  visit.detail = "upstream says nothing";
  bool may = may_stand_in(visit, stale);
  if (may && co_await serve_found(visit, std::move(stale), Outcome::stale)) co_return true;
  co_await live_playlists_.refuse_for_now(visit);
  co_return true;
}

}  // namespace relay::edge
