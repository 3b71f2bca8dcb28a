#include "common/net/watchdog.hpp"

#include <algorithm>

namespace relay::net {
namespace {

constexpr std::chrono::milliseconds tick_wait{200};

/// Number of the first tick after that time.
std::int64_t tick_of(SteadyTime time) {
  return time.time_since_epoch() / tick_wait + 1;
}

SteadyTime time_of(std::int64_t tick) {
  return SteadyTime(tick * tick_wait);
}

}  // namespace

void Watched::look_sooner() {
  unlink();
  watchdog_->place(*this);
}

Watchdog::Watchdog(asio::execution_context& context) : service(context) {
  timer_.emplace(static_cast<asio::io_context&>(context));
}

void Watchdog::watch(Watched& watched) {
  begin();
  watched.watchdog_ = this;
  place(watched);
  welcome(watched);
}

void Watchdog::watch_closely(Watched& watched) {
  begin();
  closely_.push_back(watched);
  welcome(watched);
}

void Watchdog::welcome(Watched& watched) {
  if (draining()) watched.drain();
  schedule();
}

/// What has no deadline, or one beyond the wheel, is looked at in the last slot, and goes on.
void Watchdog::place(Watched& watched) {
  std::int64_t last = ticked_ + slot_count - 1;
  std::int64_t tick = last;
  if (watched.deadline_ < time_of(last)) tick = std::max(tick_of(watched.deadline_), ticked_ + 1);
  watched.looked_at_ = time_of(tick - 1);  // deadlines from there on are not missed
  slot_of(tick).push_back(watched);
}

void Watchdog::drain(std::chrono::milliseconds grace) {
  drain_until_ = steady_now() + grace;
  each([](Watched& watched) { watched.drain(); });
  schedule();
}

/// While nothing was watched no tick was counted.
void Watchdog::begin() {
  if (!scheduled_ && empty()) ticked_ = tick_of(steady_now());
}

void Watchdog::schedule() {
  if (scheduled_ || !timer_ || empty()) return;
  scheduled_ = true;
  timer_->expires_after(tick_wait);
  timer_->async_wait([this](boost::system::error_code error) {
    scheduled_ = false;
    if (!error) tick();
  });
}

/// expire() only closes a socket; the owner unlinks itself later, when its coroutine resumes.
void Watchdog::tick() {
  SteadyTime now = steady_now();
  std::int64_t due = tick_of(now) - 1;
  // After a long pause, once around is enough.
  ticked_ = std::max(ticked_, due - slot_count);
  while (ticked_ < due) look_at_slot(slot_of(++ticked_), now);
  for (auto at = closely_.begin(); at != closely_.end();) look_at(*at++, now);
  if (drain_until_ && now >= *drain_until_) {
    each([](Watched& watched) { watched.disarm(), watched.expire(); });
  }
  schedule();
}

void Watchdog::look_at(Watched& watched, SteadyTime now) {
  if (watched.deadline_ > now && !watched.given_up()) return;
  watched.disarm();
  watched.expire();
}

void Watchdog::look_at_slot(List& slot, SteadyTime now) {
  List due;
  due.swap(slot);
  while (!due.empty()) {
    Watched& watched = due.front();
    due.pop_front();
    place(watched);
    look_at(watched, now);
  }
}

template <class Do>
void Watchdog::each(const Do& act) {
  auto all_of = [&](List& list) {
    for (auto at = list.begin(); at != list.end();) act(*at++);
  };
  for (List& slot : slots_) all_of(slot);
  all_of(closely_);
}

bool Watchdog::empty() const {
  return closely_.empty() && std::ranges::all_of(slots_, &List::empty);
}

}  // namespace relay::net
