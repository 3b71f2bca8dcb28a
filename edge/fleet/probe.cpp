#include "edge/fleet/probe.hpp"

#include <boost/asio/steady_timer.hpp>

#include <algorithm>

#include "common/base/limits.hpp"
#include "common/base/log.hpp"

namespace relay::edge::fleet {

using Timer = net::asio::basic_waitable_timer<
    std::chrono::steady_clock, net::asio::wait_traits<std::chrono::steady_clock>, net::Executor>;

struct Prober::State {
  State(net::asio::io_context& io, Members& members, std::chrono::milliseconds interval)
      : io(io), members(members), interval(interval), client(io), timer(io) {}
  net::asio::io_context& io;
  Members& members;
  const std::chrono::milliseconds interval;
  net::Client client;
  Timer timer;
  bool stopping = false;

  net::ClientDeadlines deadlines() const {
    auto wait = std::clamp(interval, std::chrono::milliseconds{100}, limits::connect_wait);
    return {.connect = wait, .first_byte = wait, .stall = wait};
  }
};

namespace {

net::Task<void> probe_one(std::shared_ptr<Prober::State> state, Member member) {
  auto endpoint = net::endpoint_of(member.url);
  if (!endpoint) co_return;  // settings let no such url through
  net::ClientRequest request;
  request.target = health_target;
  auto answer = co_await state->client.send(*endpoint, std::move(request), state->deadlines());
  if (!answer || answer->head().status != 200) co_return;
  state->members.mark_up(member.name);
  log::info("edge is back", {log::kv("member", member.name), log::kv("url", member.url)});
}

net::Task<void> probe_all(std::shared_ptr<Prober::State> state) {
  while (!state->stopping) {
    for (Member& member : state->members.take_due_probes(steady_now())) {
      net::spawn(state->io, probe_one(state, std::move(member)));
    }
    state->timer.expires_after(state->interval);
    co_await state->timer.async_wait(net::use_result);
  }
}

}  // namespace

Prober::Prober(net::asio::io_context& io, Members& members, std::chrono::milliseconds interval)
    : state_(std::make_shared<State>(io, members, interval)) {
}

Prober::~Prober() = default;

void Prober::start() {
  net::spawn(state_->io, probe_all(state_));
}

void Prober::stop() {
  state_->stopping = true;
  state_->timer.cancel();
  state_->client.close_idle();
}

}  // namespace relay::edge::fleet
