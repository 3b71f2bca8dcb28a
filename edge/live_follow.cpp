// How a live playlist is followed: one blocking request after the other for what comes next.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "common/base/log.hpp"
#include "common/http/surrogate_control.hpp"
#include "common/http/trail.hpp"
#include "common/http/url.hpp"
#include "common/net/timer.hpp"
#include "common/net/whole_body.hpp"
#include "edge/hls/directives.hpp"
#include "edge/live_playlists.hpp"

namespace relay::edge {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds pause_min = 100ms;  // after an answer that was of no use
constexpr std::chrono::milliseconds pause_max = 1s;
constexpr std::chrono::milliseconds kept_unwanted_min = 10s;
constexpr std::chrono::milliseconds kept_unknown = 3s;  // while upstream has never answered
constexpr std::chrono::milliseconds kept_ended = 10s;
constexpr std::chrono::milliseconds end_look_each = 250ms;
constexpr int misfits_max = 3;  // in a row; then upstream's deltas are nothing for us

/// What asks for the version after this one.
std::string next_query(const LiveVersion* version, bool by_delta) {
  if (!version || !version->outline().can_block) return {};
  media::LivePosition next = version->outline().next();
  media::LiveDirectives directives{.segment = next.segment, .skip = by_delta};
  if (version->outline().part_target_us > 0) directives.part = next.part;
  return media::to_query(directives);
}

/// What is gone, or none of ours, is told the ordinary way; while upstream only takes its time or
/// is not well, the last version stays, and whoever has none waits.
bool ends_with(int status, bool has_version) {
  bool is_gone = status == 404 || status == 410;
  bool is_trouble = status >= 502 && status <= 504;
  return is_gone || (!has_version && !is_trouble);
}

}  // namespace

bool LivePlaylists::is_wanted(const LivePlaylist& entry) const {
  Version version = entry.newest.load();
  std::chrono::milliseconds kept = kept_unknown;
  if (version) kept = std::max(kept_unwanted_min, 3000ms * version->outline().target_duration_s);
  SteadyTime wanted = entry.wanted_at;
  return !stopped_->load(std::memory_order_relaxed) && steady_now() - wanted < kept;
}

net::Task<void> LivePlaylists::follow(EdgeWorker& worker, Entry entry) {
  followed_.add(1);
  net::Timer timer(worker.io);
  std::chrono::milliseconds pause = pause_min;
  Step step = Step::went_on;
  while (!let_go(entry, step)) {
    step = co_await ask_once(worker, entry);
    if (step == Step::over) co_await show_end(worker, *entry);
    if (step == Step::went_on) pause = pause_min;
    if (step != Step::again) continue;
    entry->changed.notify();  // whoever waits looks at the clock
    timer.expires_after(pause);
    co_await timer.async_wait(net::use_result);
    pause = std::min(2 * pause, pause_max);
  }
  followed_.add(-1);
  entry->changed.notify();
}

/// A channel's end is asked for by all its viewers at once, each with a directive of its own.
net::Task<void> LivePlaylists::show_end(EdgeWorker& worker, LivePlaylist& entry) {
  entry.changed.notify();
  net::Timer timer(worker.io);
  auto is_end = [](const Version& version) { return version && version->outline().ended; };
  SteadyTime until = steady_now() + kept_ended;
  while (is_end(current(entry)) && steady_now() < until && !*stopped_) {
    timer.expires_after(end_look_each);
    co_await timer.async_wait(net::use_result);
  }
}

/// Whoever wants the playlist after this makes it anew, and its follower with it: there are never
/// two.
bool LivePlaylists::let_go(const Entry& entry, Step last) {
  std::lock_guard lock(mutex_);
  if (last != Step::over && is_wanted(*entry)) return false;
  entries_.erase(entry->key);
  if (!entry->answered) --unanswered_;
  entry->followed = false;
  return true;
}

net::ClientRequest LivePlaylists::next_request(const LivePlaylist& entry, const LiveVersion* before,
                                               bool by_delta) const {
  net::ClientRequest request{
      "GET", hls::with_query(entry.target, next_query(before, by_delta)), {}, {}};
  http::append_cdn_loop(request.headers, fleet::loop_name(settings_.name));
  http::append_via(request.headers, 1, settings_.name);
  http::announce_surrogate(request.headers);
  return request;
}

/// A purge of what it asks for breaks it off, and the next one begins at once.
net::Task<LivePlaylists::Step> LivePlaylists::ask_once(EdgeWorker& worker, Entry shared) {
  LivePlaylist& entry = *shared;
  std::uint64_t sequence = purges_.sequence();
  entry.asked_sequence = sequence;
  entry.given_up = false;
  if (*stopped_) co_return Step::again;  // whoever stopped all may have set the flag just before
  Version before = current(entry);
  bool by_delta = before && !entry.needs_whole && before->takes_deltas(steady_now());
  auto request = next_request(entry, before.get(), by_delta);
  auto route = purges_.route_for(entry.key, fleet::HopRoute::peer_or_origin, steady_now());
  asked_.add();
  Upstream::GivenUp given_up(shared, &entry.given_up);
  auto answered = co_await upstream_.ask(worker.client, entry.key, route, std::move(request), {},
                                         std::move(given_up));
  if (!answered) co_return entry.given_up ? Step::went_on : Step::again;
  int status = answered->head().status;
  if (status != 200) co_return ends_with(status, before != nullptr) ? Step::over : Step::again;
  auto text = co_await net::read_whole_body(answered->response, limits::playlist_bytes_max);
  if (!text) co_return Step::again;
  LiveVersion::Arrival arrival{answered->head().headers, sequence, steady_now()};
  bool is_update = by_delta && media::is_delta(*text);
  if (is_update) co_return take_update(worker, entry, *before, arrival, *text);
  co_return take_whole(worker, entry, arrival, std::move(*text));
}

LivePlaylists::Step LivePlaylists::take_whole(EdgeWorker& worker, LivePlaylist& entry,
                                              const LiveVersion::Arrival& arrival,
                                              std::string text) {
  auto version = LiveVersion::make(arrival, std::move(text));
  if (!version) return Step::over;
  const auto& outline = (*version)->outline();
  if (!outline.can_block && !outline.ended) return Step::over;
  entry.needs_whole = entry.misfits >= misfits_max;
  return take(worker, entry, std::move(*version));
}

/// One that does not fit is no answer: the whole is asked for at once.
LivePlaylists::Step LivePlaylists::take_update(EdgeWorker& worker, LivePlaylist& entry,
                                               const LiveVersion& before,
                                               const LiveVersion::Arrival& arrival,
                                               std::string_view text) {
  Version version = before.with(arrival, text);
  (version ? updates_ : misfits_).add();
  entry.needs_whole = !version;
  entry.misfits = version ? 0 : entry.misfits + 1;
  return version ? take(worker, entry, std::move(version)) : Step::went_on;
}

LivePlaylists::Step LivePlaylists::take(EdgeWorker& worker, LivePlaylist& entry, Version version) {
  if (purges_.purged_since(version->purge_sequence(), entry.key, version->cache_tags()))
    return Step::again;
  Version before = current(entry);
  if (before && version->is_behind(*before)) {
    behind_.add();
    return Step::again;
  }
  bool same = before && !before->is_behind(*version);
  entry.newest.store(version);
  if (!std::exchange(entry.answered, true)) --unanswered_;
  if (version->outline().ended) return Step::over;
  if (same) return Step::again;
  versions_.add();
  entry.changed.notify();
  fetch_hint(worker, entry, *version);
  return Step::went_on;
}

void LivePlaylists::fetch_hint(EdgeWorker& worker, const LivePlaylist& entry,
                               const LiveVersion& version) {
  const std::string& hint = version.outline().hint;
  if (hint.empty()) return;
  auto target = http::resolve_on_host(hint, entry.target, "");
  if (!target) return;
  std::string_view front =
      std::string_view(entry.key).substr(0, entry.key.size() - entry.target.size());
  prefetch_.await_part(worker, *target, std::string(front) + *target);
}

}  // namespace relay::edge
