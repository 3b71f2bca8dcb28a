#include "origin/announce.hpp"

#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <deque>
#include <utility>

#include "common/base/clock.hpp"
#include "common/base/log.hpp"
#include "common/media/media_path.hpp"
#include "common/net/broadcast.hpp"

namespace relay::origin {
namespace {

using namespace std::chrono_literals;
namespace asio = net::asio;

constexpr std::size_t line_length_max = 4096;
constexpr std::chrono::milliseconds repeat_wait = 1s;
const net::ClientDeadlines deadlines{1s, 5s, 5s};

}  // namespace

/// Somebody who waits for the confirmations of one announcement.
struct Announcer::Waiting {
  explicit Waiting(asio::io_context& io) : io(io), timer(io) {}
  void confirm(const std::string& edge) {
    std::lock_guard lock(mutex);
    for (Receipt& receipt : receipts) {
      if (receipt.edge == edge) receipt.confirmed = true;
    }
  }
  bool complete() {
    std::lock_guard lock(mutex);
    return std::ranges::all_of(receipts, &Receipt::confirmed);
  }
  asio::io_context& io;
  asio::steady_timer timer;  // used on io only
  std::mutex mutex;          // guards receipts
  std::vector<Receipt> receipts;
};

struct Announcer::Line {
  struct Entry {
    std::string body;
    std::shared_ptr<Waiting> waiting;  // null: nobody
  };
  Line(asio::io_context& io, std::string url, net::Endpoint endpoint)
      : url(std::move(url)), endpoint(std::move(endpoint)), timer(io) {}
  std::optional<Entry> take() {
    std::lock_guard lock(mutex);
    if (entries.empty()) return std::nullopt;
    Entry entry = std::move(entries.front());
    entries.pop_front();
    return entry;
  }
  void put_back(Entry entry) {
    std::lock_guard lock(mutex);
    entries.push_front(std::move(entry));
  }
  const std::string url;
  const net::Endpoint endpoint;
  asio::steady_timer timer;  // used on the lines' worker only
  net::Broadcast changed;
  std::atomic<bool> ended{false};
  bool reachable = true;  // as last seen; for the log
  std::mutex mutex;       // guards entries
  std::deque<Entry> entries;
};

Announcer::Announcer(Metrics& metrics)
    : confirmed_(metrics.counter("origin_announcements_total", "Purges told to edges, by outcome.",
                                 "outcome=\"confirmed\"")),
      failed_(metrics.counter("origin_announcements_total", "Purges told to edges, by outcome.",
                              "outcome=\"failed\"")) {
}

Announcer::~Announcer() = default;

void Announcer::start(asio::io_context& io, const std::vector<std::string>& admin_urls) {
  io_ = &io;
  client_.emplace(io);
  set_edges(admin_urls);
}

void Announcer::set_edges(const std::vector<std::string>& admin_urls) {
  std::lock_guard lock(mutex_);
  std::map<std::string, std::shared_ptr<Line>> lines;
  for (const std::string& url : admin_urls) {
    auto endpoint = net::endpoint_of(url);
    if (!endpoint || lines.contains(url)) continue;  // settings were checked when loaded
    if (auto known = lines_.find(url); known != lines_.end()) {
      lines.insert(lines_.extract(known));
      continue;
    }
    auto line = std::make_shared<Line>(*io_, url, *endpoint);
    lines.emplace(url, line);
    net::spawn(*io_, run(line));
  }
  lines_.swap(lines);
  for (auto& [url, line] : lines) {
    line->ended = true;
    line->changed.notify();
    asio::post(*io_, [line] { line->timer.cancel(); });
  }
}

std::vector<std::string> Announcer::edges() const {
  std::lock_guard lock(mutex_);
  std::vector<std::string> urls;
  for (const auto& [url, line] : lines_) urls.push_back(url);
  return urls;
}

void Announcer::enqueue(const std::string& body, const std::shared_ptr<Waiting>& waiting) {
  std::lock_guard lock(mutex_);
  for (auto& [url, line] : lines_) {
    if (waiting) waiting->receipts.push_back({url, false});
  }
  for (auto& [url, line] : lines_) {
    {
      std::lock_guard line_lock(line->mutex);
      if (line->entries.size() >= line_length_max) {
        line->entries.clear();
        line->entries.push_back({purge_of_prefix("/"), nullptr});
      }
      line->entries.push_back({body, waiting});
    }
    line->changed.notify();
  }
}

void Announcer::purge(const std::string& body) {
  enqueue(body, nullptr);
}

void Announcer::relabelled(std::string_view tenant, std::string_view asset) {
  purge(purge_of_url(media::multivariant_path(tenant, asset)));
  purge(soft_purge_of_prefix(media::asset_prefix(tenant, asset)));
}

net::Task<std::vector<Receipt>> Announcer::purge_and_wait(std::string body,
                                                          std::chrono::milliseconds wait) {
  auto executor = co_await asio::this_coro::executor;
  auto waiting = std::make_shared<Waiting>(executor.context());
  waiting->timer.expires_after(wait);
  enqueue(body, waiting);
  while (!waiting->complete() && !stopping_) {
    auto [ec] = co_await waiting->timer.async_wait(net::use_result);
    if (!ec) break;  // time is over; otherwise a confirmation came
    if (waiting->timer.expiry() <= steady_now()) break;
  }
  std::lock_guard lock(waiting->mutex);
  co_return waiting->receipts;
}

net::Task<void> Announcer::run(std::shared_ptr<Line> line) {
  while (!line->ended) {
    std::uint64_t seen = line->changed.version();
    auto entry = line->take();
    if (!entry) {
      if (!line->ended) co_await line->changed.wait(seen);
      continue;
    }
    Outcome outcome = co_await send(*line, entry->body);
    count(*line, outcome);
    if (outcome == Outcome::failed) {
      line->put_back(std::move(*entry));
      co_await pause(*line);
      continue;
    }
    if (outcome == Outcome::confirmed && entry->waiting) {
      auto waiting = entry->waiting;
      waiting->confirm(line->url);
      asio::post(waiting->io, [waiting] { waiting->timer.cancel(); });
    }
  }
}

net::Task<Announcer::Outcome> Announcer::send(const Line& line, std::string body) {
  net::ClientRequest request;
  request.method = "POST";
  request.target = "/purge";
  request.headers.add("Content-Type", "application/json");
  request.body = std::move(body);
  auto response = co_await client_->send(line.endpoint, std::move(request), deadlines);
  if (!response) co_return Outcome::failed;
  int status = response->head().status;
  std::array<char, 4096> rest;
  while (true) {
    auto got = co_await response->read(rest);
    if (!got) break;
    if (*got == 0) break;
  }
  if (status / 100 == 2) co_return Outcome::confirmed;
  co_return status / 100 == 4 ? Outcome::refused : Outcome::failed;
}

/// Counts, and logs what changed.
void Announcer::count(Line& line, Outcome outcome) {
  (outcome == Outcome::confirmed ? confirmed_ : failed_).add();
  if (outcome == Outcome::refused) {
    log::error("an edge refuses announcements", {log::kv("edge", line.url)});
  }
  bool reachable = outcome != Outcome::failed;
  if (reachable != line.reachable) {
    if (reachable) {
      log::info("an edge confirms again", {log::kv("edge", line.url)});
    } else {
      log::warn("an edge does not confirm", {log::kv("edge", line.url)});
    }
  }
  line.reachable = reachable;
}

net::Task<void> Announcer::pause(Line& line) {
  if (line.ended) co_return;
  line.timer.expires_after(repeat_wait);
  co_await line.timer.async_wait(net::use_result);
}

void Announcer::stop() {
  stopping_ = true;
  set_edges({});
  client_->close_idle();
}

std::string purge_of_url(std::string_view path) {
  return boost::json::serialize(boost::json::object{{"url", path}, {"scope", "edge"}});
}

std::string purge_of_prefix(std::string_view path) {
  return boost::json::serialize(boost::json::object{{"prefix", path}, {"scope", "edge"}});
}

std::string soft_purge_of_prefix(std::string_view path) {
  return boost::json::serialize(
      boost::json::object{{"prefix", path}, {"scope", "edge"}, {"soft", true}});
}

}  // namespace relay::origin
