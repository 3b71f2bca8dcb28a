#include "edge/hedge.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "common/net/timer.hpp"
#include "edge/fleet/probe.hpp"

namespace relay::edge {
namespace {

using net::Timer;
using Answer = Result<net::ClientResponse>;

/// Shared by the asking coroutines; all on one thread. Each rings when it has its answer.
struct Race {
  explicit Race(net::asio::io_context& io) : bell(io) {}
  Timer bell;
  std::optional<Answer> first, stand_in;
};

net::Task<void> run(std::shared_ptr<Race> race, net::Client& client, MemberAsk ask,
                    std::optional<Answer> Race::* place) {
  fleet::UnderWay under_way(ask.peer.line);
  ++*ask.peer.line->asked;
  auto answer = co_await client.send(ask.endpoint, std::move(ask.request), ask.deadlines);
  (*race.*place).emplace(std::move(answer));
  race->bell.cancel();
}

bool holds(const std::optional<Answer>& answer) {
  return answer && *answer && (*answer)->head().status < 400;
}

}  // namespace

net::Task<HedgedAnswer> ask_hedged(net::Client& client, fleet::Members& members, MemberAsk ask,
                                   std::optional<MemberAsk> stand_in, HedgeRules rules) {
  auto race = std::make_shared<Race>(client.io());
  fleet::Peer peer = ask.peer;
  std::chrono::microseconds patience = peer.line->times.p95().value_or(rules.most);
  patience = std::clamp<std::chrono::microseconds>(patience, rules.least, rules.most);
  race->bell.expires_after(patience);
  net::spawn(client.io(), run(race, client, std::move(ask), &Race::first));
  if (!race->first) co_await race->bell.async_wait(net::use_result);
  if (!race->first) {
    net::spawn(client.io(), fleet::probe(client, members, peer, rules.probe_wait));
    // It may have been found out since it was chosen.
    if (stand_in && !stand_in->peer.line->given_up) {
      net::spawn(client.io(), run(race, client, std::move(*stand_in), &Race::stand_in));
    }
  }
  while (!race->first && !holds(race->stand_in)) {
    race->bell.expires_at(SteadyTime::max());
    co_await race->bell.async_wait(net::use_result);
  }
  if (race->first) co_return HedgedAnswer{std::move(*race->first), false};
  co_return HedgedAnswer{std::move(*race->stand_in), true};
}

}  // namespace relay::edge
