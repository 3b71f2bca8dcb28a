#include "origin/jobs/running.hpp"

#include <algorithm>
#include <utility>

#include "common/base/log.hpp"
#include "common/net/server.hpp"

namespace relay::origin::jobs {

using std::chrono::milliseconds;

Running::Running(net::asio::io_context& io, Waiting what)
    : waiting(std::move(what)), io_(io), ticker_(io.get_executor()), closing_(io.get_executor()) {
}

void Running::watch(Process& process, const JobSettings& settings) {
  process_ = &process;
  deadline_ = settings.deadline;
  stall_ = settings.stall;
  started_ = last_sign_ = steady_now();
  if (dropped_) process.kill();
  tick();
}

void Running::unwatch() {
  process_ = nullptr;
  after_publication = nullptr;
  ticker_.cancel();
}

void Running::drop() {
  dropped_ = true;
  if (process_) process_->kill();
}

void Running::give_way() {
  if (!process_ || killed_ != KillReason::none) return;
  killed_ = KillReason::turn;
  process_->kill();
}

void Running::on_published() {
  if (process_ && after_publication) after_publication();
}

milliseconds Running::worked() const {
  return std::chrono::duration_cast<milliseconds>(steady_now() - started_);
}

std::optional<KillReason> Running::overdue() const {
  SteadyTime now = steady_now();
  if (waiting.worked + worked() > deadline_) return KillReason::deadline;
  if (now - last_sign_ > stall_) return KillReason::stall;
  return std::nullopt;
}

void Running::tick() {
  if (!process_) return;
  if (auto reason = overdue(); reason && killed_ == KillReason::none) {
    killed_ = *reason;
    log::warn("transcoder killed",
              {kv("tenant", waiting.job.tenant), kv("asset", waiting.job.asset),
               kv("pid", process_->pid()),
               kv("why", *reason == KillReason::stall ? "stall" : "deadline")});
    process_->kill();
  }
  ticker_.expires_after(
      std::clamp(std::min(stall_, deadline_) / 8, milliseconds(20), milliseconds(1000)));
  ticker_.async_wait([self = shared_from_this()](boost::system::error_code ec) {
    if (!ec) self->tick();
  });
}

void Running::serve(int connection, std::unique_ptr<net::Handler> handler) {
  handler_ = std::move(handler);
  closed_ = false;
  closing_.expires_at(SteadyTime::max());
  net::serve_connected(io_, connection, *handler_, [self = shared_from_this()] {
    self->closed_ = true;
    self->closing_.cancel();
  });
}

net::Task<void> Running::connection_closed() {
  while (!closed_) co_await closing_.async_wait(net::use_result);
}

}  // namespace relay::origin::jobs
