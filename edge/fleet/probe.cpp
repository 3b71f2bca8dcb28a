#include "edge/fleet/probe.hpp"

#include "common/base/log.hpp"
#include "common/net/timer.hpp"
#include "common/net/whole_body.hpp"

namespace relay::edge::fleet {

using net::Timer;

struct Prober::State {
  State(net::asio::io_context& io, Members& members, std::chrono::milliseconds wait,
        const PeerKey* key)
      : io(io), members(members), wait(wait), key(key), client(io), timer(io) {}
  net::asio::io_context& io;
  Members& members;
  const std::chrono::milliseconds wait;
  const PeerKey* const key;
  net::Client client;
  Timer timer;
  bool stopping = false;
};

namespace {

net::Task<void> take_figures(Members& members, const std::string& name,
                             net::ClientResponse& answer) {
  auto body = co_await net::read_whole_body(answer, figures_bytes_max);
  if (!body) co_return;
  auto figures = decode_figures(*body);
  if (figures) members.note_told(name, *figures, steady_now());
}

}  // namespace

net::Task<void> probe(net::Client& client, Members& members, Peer peer,
                      std::chrono::milliseconds wait, const PeerKey* key) {
  LinePtr line = peer.line;
  auto endpoint = net::endpoint_of(peer.url);
  if (!endpoint || line->probed.exchange(true)) co_return;
  net::ClientRequest request;
  request.target = health_target;
  if (key != nullptr && !key->empty()) {
    request.headers.add(peer_field,
                        key->sign(members.self(), request.method, request.target, wall_now()));
  }
  net::ClientDeadlines deadlines{.connect = wait, .first_byte = wait, .stall = wait};
  auto answer = co_await client.send(*endpoint, std::move(request), std::move(deadlines));
  bool well = answer && answer->head().status == 200;
  if (well) {
    line->met.store(true);
    co_await take_figures(members, peer.name, *answer);
  }
  line->probed.store(false);
  bool counts = line->met.load() || line->under_way.load() > 0;
  if (well && members.mark_up(peer.name, steady_now())) {
    log::info("edge is back", {log::kv("member", peer.name), log::kv("url", peer.url)});
  }
  if (!well && counts && members.report_failure(peer.name, steady_now())) {
    log::warn("member is down", {log::kv("member", peer.name), log::kv("why", "its probe")});
  }
}

namespace {

net::Task<void> probe_one(std::shared_ptr<Prober::State> state, Peer peer) {
  co_await probe(state->client, state->members, std::move(peer), state->wait, state->key);
}

net::Task<void> probe_all(std::shared_ptr<Prober::State> state) {
  for (int interval = 1; !state->stopping; ++interval) {
    if (interval % Prober::calm_intervals == 0) {
      for (Peer& peer : state->members.peers_up()) {
        net::spawn(state->io, probe_one(state, std::move(peer)));
      }
    }
    for (Peer& peer : state->members.take_due_probes(steady_now())) {
      net::spawn(state->io, probe_one(state, std::move(peer)));
    }
    state->timer.expires_after(state->members.snapshot()->rules.probe_interval);
    co_await state->timer.async_wait(net::use_result);
  }
}

}  // namespace

Prober::Prober(net::asio::io_context& io, Members& members, std::chrono::milliseconds wait,
               const PeerKey* key)
    : state_(std::make_shared<State>(io, members, wait, key)) {
}

Prober::~Prober() = default;

void Prober::start() {
  net::spawn(state_->io, probe_all(state_));
}

void Prober::hurry() {
  state_->timer.cancel();
}

void Prober::stop() {
  state_->stopping = true;
  state_->timer.cancel();
  state_->client.close_idle();
}

}  // namespace relay::edge::fleet
