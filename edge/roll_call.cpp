#include "edge/roll_call.hpp"

#include <memory>

#include "common/base/log.hpp"
#include "common/http/problem.hpp"
#include "common/net/timer.hpp"
#include "edge/fleet/peer_gate.hpp"
#include "edge/fleet/probe.hpp"

namespace relay::edge {
namespace {

using namespace std::chrono_literals;

const net::ClientDeadlines farewell_deadlines{500ms, 500ms, 500ms};
/// For requests that were on their way when the members heard that this edge leaves.
constexpr std::chrono::milliseconds late_requests_wait = 100ms;

/// Shared by the coroutines that tell one member each; all on one thread.
struct Farewell {
  explicit Farewell(net::asio::io_context& io) : client(io), bell(io) {}
  net::Client client;
  net::Timer bell;
  std::size_t untold = 0;
  bool over = false;  // who is still to be told is waited for no longer
};

net::Task<void> tell(std::shared_ptr<Farewell> farewell, net::Endpoint endpoint,
                     net::ClientRequest request) {
  auto answer = co_await farewell->client.send(endpoint, std::move(request), farewell_deadlines);
  (void)answer;  // who does not hear it finds out by its next request
  if (--farewell->untold == 0 && !farewell->over) farewell->bell.cancel();
}

}  // namespace

std::optional<http::Response> RollCall::answer(const net::Exchange& exchange) {
  std::string_view target = exchange.request().target;
  if (target == fleet::health_target) return health(exchange);
  if (!target.starts_with(leaving_target)) return std::nullopt;
  return take_leaving(exchange, target.substr(leaving_target.size()));
}

bool RollCall::is_member(const net::Exchange& exchange) const {
  const http::RequestHead& request = exchange.request();
  auto fleet = members_.snapshot();
  return fleet::check_member(key_, exchange.peer(), request, request.target, fleet->members,
                             wall_now())
      .has_value();
}

http::Response RollCall::health(const net::Exchange& exchange) const {
  http::Response response{200, {{"Content-Type", "text/plain"}, {"Cache-Control", "no-store"}}, {}};
  response.body = "ok\n";
  if (leaving_.load()) {
    response.status = 503;
    response.body = "leaving\n";
  } else if (is_member(exchange)) {
    response.headers.set("Content-Type", "application/json");
    response.body = encode(figures_());
  }
  return response;
}

http::Response RollCall::take_leaving(const net::Exchange& exchange, std::string_view name) {
  if (exchange.request().method != "POST") return http::method_not_allowed("POST");
  if (!is_member(exchange)) return http::problem(403, "only members of the fleet may say this");
  if (members_.report_leaving(name, steady_now())) {
    log::info("a member leaves", {log::kv("member", name)});
  }
  return {204, {{"Cache-Control", "no-store"}}, {}};
}

net::Task<void> RollCall::leave(net::asio::io_context& io) {
  leaving_.store(true);
  auto farewell = std::make_shared<Farewell>(io);
  std::string target = std::string(leaving_target) + members_.self();
  for (const fleet::Peer& peer : members_.peers_up()) {
    auto endpoint = net::endpoint_of(peer.url);
    if (!endpoint) continue;
    net::ClientRequest request{"POST", target, {}, {}};
    if (!key_.empty()) {
      request.headers.add(fleet::peer_field,
                          key_.sign(members_.self(), request.method, target, wall_now()));
    }
    ++farewell->untold;
    net::spawn(io, tell(farewell, std::move(*endpoint), std::move(request)));
  }
  if (farewell->untold == 0) co_return;
  farewell->bell.expires_after(farewell_deadlines.connect);
  co_await farewell->bell.async_wait(net::use_result);
  farewell->over = true;
  farewell->bell.expires_after(late_requests_wait);
  co_await farewell->bell.async_wait(net::use_result);
  farewell->client.close_idle();
}

}  // namespace relay::edge
