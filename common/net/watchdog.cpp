#include "common/net/watchdog.hpp"

namespace relay::net {
namespace {
constexpr std::chrono::milliseconds tick_wait{200};
}

Watchdog::Watchdog(asio::execution_context& context) : service(context) {
  timer_.emplace(static_cast<asio::io_context&>(context));
}

void Watchdog::watch(Watched& watched) {
  list_.push_back(watched);
  if (draining()) watched.drain();
  schedule();
}

void Watchdog::drain(std::chrono::milliseconds grace) {
  drain_until_ = steady_now() + grace;
  for (auto at = list_.begin(); at != list_.end();) (at++)->drain();
  schedule();
}

void Watchdog::schedule() {
  if (scheduled_ || list_.empty() || !timer_) return;
  scheduled_ = true;
  timer_->expires_after(tick_wait);
  timer_->async_wait([this](boost::system::error_code error) {
    scheduled_ = false;
    if (!error) tick();
  });
}

void Watchdog::tick() {
  SteadyTime now = steady_now();
  bool all = drain_until_ && now >= *drain_until_;
  // expire() only closes a socket; the owner unlinks itself later, when its coroutine resumes.
  for (auto at = list_.begin(); at != list_.end();) {
    Watched& watched = *at++;
    if (!all && watched.deadline_ > now && !watched.given_up()) continue;
    watched.disarm();
    watched.expire();
  }
  schedule();
}

}  // namespace relay::net
