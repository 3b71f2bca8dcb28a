#include "origin/events.hpp"

#include <fmt/format.h>
#include <boost/asio/steady_timer.hpp>

#include <chrono>

#include "common/base/clock.hpp"

namespace relay::origin {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kept_max = 1024;
constexpr std::chrono::seconds heartbeat_wait = 15s;
constexpr std::string_view heartbeat = ":\n\n";
/// What the client knows is too old to be brought up to date: it should ask for the list again.
constexpr std::string_view reset = "event: reset\ndata: {}\n\n";

http::ResponseHead stream_head() {
  http::ResponseHead head;
  head.headers.add("Content-Type", "text/event-stream");
  head.headers.add("Cache-Control", "no-store");
  return head;
}

}  // namespace

std::string to_wire(const Event& event) {
  std::string id = event.sequence ? fmt::format("id: {}\n", event.sequence) : "";
  return fmt::format("{}event: {}\ndata: {}\n\n", id, event.type, event.data);
}

Events::Events(Catalog& catalog, Metrics& metrics)
    : catalog_(catalog),
      subscribers_(metrics.gauge("origin_event_streams", "Open streams of state changes.")) {
  catalog.on_event([this](const Event& event) { publish(event); });
}

void Events::publish(const Event& event) {
  {
    std::lock_guard lock(mutex_);
    newest_.push_back(std::make_shared<const Event>(event));
    if (newest_.size() > kept_max) {
      newest_.pop_front();
      ++first_;
    }
  }
  changed_.notify();
}

std::uint64_t Events::position() const {
  std::lock_guard lock(mutex_);
  return first_ + newest_.size();
}

Events::Batch Events::read(std::uint64_t& position) const {
  std::lock_guard lock(mutex_);
  Batch batch;
  batch.lost = position < first_;
  if (batch.lost) return batch;
  auto unread = newest_.begin() + static_cast<std::ptrdiff_t>(position - first_);
  batch.events.assign(unread, newest_.end());
  position += batch.events.size();
  return batch;
}

net::Task<void> Events::stream(net::Exchange& exchange, std::string tenant,
                               std::optional<std::uint64_t> after) {
  subscribers_.add(1);
  std::uint64_t from = position();  // before the replay: nothing falls between the two
  std::uint64_t sent = after.value_or(0);
  auto going = co_await exchange.begin(stream_head(), std::nullopt);
  if (going) going = co_await exchange.write(heartbeat);
  if (going && after) going = co_await replay(exchange, tenant, *after, sent);
  if (going) going = co_await follow(exchange, tenant, from, sent);
  if (going) going = co_await exchange.finish();
  subscribers_.add(-1);
}

net::Task<Result<void>> Events::replay(net::Exchange& exchange, const std::string& tenant,
                                       std::uint64_t after, std::uint64_t& sent) {
  auto whole = catalog_.log_reaches(after);
  auto missed = catalog_.events_after(tenant, after);
  if (!whole || !missed || !*whole) {
    sent = 0;
    co_return co_await exchange.write(reset);
  }
  std::string text;
  for (const Event& event : *missed) {
    text += to_wire(event);
    sent = event.sequence;
  }
  if (text.empty()) co_return Result<void>();
  co_return co_await exchange.write(text);
}

net::Task<Result<void>> Events::follow(net::Exchange& exchange, const std::string& tenant,
                                       std::uint64_t position, std::uint64_t sent) {
  SteadyTime last_write = steady_now();
  while (!stopping_) {
    std::uint64_t seen = changed_.version();
    Batch batch = read(position);
    if (batch.lost) co_return Result<void>();
    std::string text;
    for (const auto& event : batch.events) {
      bool replayed = event->sequence != 0 && event->sequence <= sent;
      if (event->tenant == tenant && !replayed) text += to_wire(*event);
    }
    if (text.empty() && steady_now() - last_write >= heartbeat_wait) text = heartbeat;
    if (!text.empty()) {
      auto written = co_await exchange.write(text);
      if (!written) co_return written;
      last_write = steady_now();
      continue;
    }
    if (!stopping_) co_await changed_.wait(seen);
  }
  co_return Result<void>();
}

net::Task<void> Events::run_heartbeat() {
  auto executor = co_await net::asio::this_coro::executor;
  auto timer = std::make_shared<net::asio::steady_timer>(executor);
  {
    std::lock_guard lock(mutex_);
    cancel_heartbeat_ = [timer, executor] {
      net::asio::post(executor, [timer] { timer->cancel(); });
    };
  }
  while (!stopping_) {
    timer->expires_after(heartbeat_wait / 3);
    co_await timer->async_wait(net::use_result);
    changed_.notify();
  }
}

void Events::stop() {
  stopping_ = true;
  changed_.notify();
  std::lock_guard lock(mutex_);
  if (cancel_heartbeat_) cancel_heartbeat_();
}

}  // namespace relay::origin
