#include "edge/live_playlists.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "common/base/limits.hpp"
#include "common/http/negotiate.hpp"
#include "common/http/problem.hpp"
#include "common/http/url.hpp"
#include "edge/hls/directives.hpp"

namespace relay::edge {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds wait_max = 30s;  // of a viewer, before it is told to come again
constexpr std::int64_t error_lifetime_s = 1;

/// A blocked request ends after three target durations (6.2.5.2).
std::chrono::milliseconds wait_of(const LiveVersion* version) {
  if (!version) return limits::playlist_wait;
  std::chrono::milliseconds wait = std::chrono::seconds(3 * version->outline().target_duration_s);
  return std::min(wait, wait_max);
}

media::LiveJudgement judge_by(const LiveVersion& version, const media::LiveDirectives& directives) {
  const auto& outline = version.outline();
  media::LiveTargets targets{outline.target_duration_s, outline.part_target_us / 1000};
  return media::judge(directives, outline.next(), outline.ended, targets);
}

/// A version that a directive asked for stays what it was: whoever asks the same within the window
/// may have it. Any other request wants what is newest, and no cache may go back to this one when
/// we are down.
std::string lifetime_of(const LiveVersion& version, const media::LiveDirectives& directives) {
  std::int64_t target_s = version.outline().target_duration_s;
  bool is_newest = version.outline().ended || !directives.segment;
  std::int64_t seconds = is_newest ? std::max<std::int64_t>(1, target_s / 2) : 6 * target_s;
  return fmt::format("public, max-age={}{}", seconds,
                     version.outline().ended ? "" : ", must-revalidate");
}

/// What is no live playlist has no versions: all who ask for it get one object.
void forget_directives(Visit& visit) {
  visit.primary_key = hls::without_directives(visit.primary_key);
  visit.target = hls::without_directives(visit.target);
}

}  // namespace

LivePlaylists::LivePlaylists(const Settings& settings, Upstream& upstream, const PurgeLog& purges,
                             Prefetch& prefetch, const Deliver& deliver, Metrics& metrics)
    : settings_(settings),
      upstream_(upstream),
      purges_(purges),
      prefetch_(prefetch),
      deliver_(deliver),
      followed_(metrics.gauge("relay_edge_live_playlists", "live playlists that are followed")),
      asked_(metrics.counter("relay_edge_live_requests_total",
                             "requests sent on for the next version of a live playlist")),
      versions_(metrics.counter("relay_edge_live_versions_total",
                                "versions of live playlists that came")),
      behind_(metrics.counter("relay_edge_live_versions_behind_total",
                              "versions that would have taken something back, and were not used")),
      updates_(metrics.counter("relay_edge_live_updates_total",
                               "delta updates of live playlists that came, by whether they fitted "
                               "the version that was held",
                               "fits=\"yes\"")),
      misfits_(metrics.counter("relay_edge_live_updates_total", "", "fits=\"no\"")) {
}

bool LivePlaylists::may_be_for(const Visit& visit) {
  return hls::is_playlist(visit.target) && visit.route != fleet::HopRoute::nobody;
}

/// With the mutex held.
LivePlaylists::Entry LivePlaylists::find_or_make(const Visit& visit, const std::string& key,
                                                 bool make) {
  if (auto it = entries_.find(key); it != entries_.end()) return it->second;
  bool has_room = entries_.size() < limits::live_playlists_max &&
                  unanswered_ < limits::live_playlists_unanswered_max;
  if (!make || !has_room) return nullptr;
  auto made = std::make_shared<LivePlaylist>(key, hls::without_directives(visit.target));
  ++unanswered_;
  return entries_.emplace(key, std::move(made)).first->second;
}

/// The playlist with that key, followed from now on; null: there is none, and none is to be made.
LivePlaylists::Entry LivePlaylists::want(const Visit& visit, const std::string& key, bool make) {
  Entry entry;
  bool is_watched;
  {
    std::lock_guard lock(mutex_);
    entry = find_or_make(visit, key, make);
    if (!entry) return nullptr;
    entry->wanted_at = steady_now();
    if (entry->followed.exchange(true)) return entry;
    is_watched = std::exchange(watched_, true);
  }
  net::spawn(visit.worker.io, follow(visit.worker, entry));
  if (!is_watched) net::spawn(visit.worker.io, watch(visit.worker));
  return entry;
}

/// Nothing that a purge named is given out.
LivePlaylists::Version LivePlaylists::current(const LivePlaylist& entry) const {
  Version version = entry.newest.load();
  bool purged =
      version && purges_.purged_since(version->purge_sequence(), entry.key, version->cache_tags());
  return purged ? nullptr : version;
}

/// Whether nobody has to wait for what is asked for.
bool LivePlaylists::is_there(const LivePlaylist& entry, media::LiveDirectives directives) const {
  Version version = current(entry);
  return version && judge_by(*version, directives).readiness != media::LiveReadiness::wait;
}

net::Task<bool> LivePlaylists::serve(Visit& visit) {
  if (stopped_->load(std::memory_order_relaxed)) co_return false;
  auto directives = media::read_live_directives(http::split_target(visit.target).query);
  if (!directives) {
    co_await refuse(visit, 400, directives.error().message, error_lifetime_s);
    co_return true;
  }
  std::string key = hls::without_directives(visit.primary_key);
  bool directed = key.size() != visit.primary_key.size();
  // Two edges that each take the other for the owner must not wait for one another.
  bool by_member = visit.route != fleet::HopRoute::peer_or_origin;
  if (by_member && upstream_.asks_member(key)) co_return false;
  Entry entry = want(visit, key, directed);
  if (!entry || (!directed && !current(*entry))) co_return false;
  co_return co_await serve_from(visit, std::move(entry), *directives);
}

/// Members are told at once, so that they ask the origin themselves.
bool LivePlaylists::may_be_outlasted(const Visit& visit) {
  return hls::is_playlist(visit.target) && visit.route == fleet::HopRoute::peer_or_origin;
}

SteadyTime LivePlaylists::waits_until(const Visit& visit) {
  return may_be_outlasted(visit) ? visit.begun + limits::playlist_wait : SteadyTime::max();
}

net::Task<void> LivePlaylists::refuse_for_now(Visit& visit) {
  co_await refuse(visit, 503, "upstream does not answer", error_lifetime_s);
  visit.outcome = Outcome::failed;
}

net::Task<bool> LivePlaylists::outlast(Visit& visit) {
  if (stopped_->load(std::memory_order_relaxed)) co_return false;
  auto directives = media::read_live_directives(http::split_target(visit.target).query);
  Entry entry = want(visit, hls::without_directives(visit.primary_key), true);
  if (!directives) co_return false;
  if (!entry) {
    co_await refuse(visit, 503, "too many playlists are waited for", error_lifetime_s);
    co_return true;
  }
  co_return co_await serve_from(visit, std::move(entry), *directives);
}

net::Task<bool> LivePlaylists::serve_from(Visit& visit, Entry entry,
                                          media::LiveDirectives directives) {
  bool is_crowded = static_cast<std::size_t>(entry.use_count()) > limits::waiters_max;
  if (is_crowded && !is_there(*entry, directives)) {
    co_await refuse(visit, 503, "too many wait for this playlist", error_lifetime_s);
    co_return true;
  }
  Version version = co_await wait_for(visit, *entry, directives);
  bool is_for_member = visit.route != fleet::HopRoute::peer_or_origin;
  if (!version && (is_for_member || !entry->followed || *stopped_)) {
    if (!entry->followed) forget_directives(visit);
    co_return false;
  }
  if (version) {
    co_await answer(visit, std::move(version), directives);
    co_return true;
  }
  co_await refuse_for_now(visit);
  co_return true;
}

/// The first version that can be judged: it shows what was asked for, or says why it never will, or
/// time is up. Null: upstream has not shown any in time, or nobody follows it any more, for it is
/// not live.
net::Task<LivePlaylists::Version> LivePlaylists::wait_for(Visit& visit, LivePlaylist& entry,
                                                          media::LiveDirectives directives) {
  while (true) {
    std::uint64_t seen = entry.changed.version();
    Version version = current(entry);
    bool over = steady_now() - visit.begun >= wait_of(version.get());
    bool judged = version && judge_by(*version, directives).readiness != media::LiveReadiness::wait;
    if (judged || over || stopped_->load(std::memory_order_relaxed)) co_return version;
    if (!entry.followed) co_return nullptr;
    visit.trail.collapsed = true;
    entry.wanted_at = steady_now();
    co_await entry.changed.wait(seen);
  }
}

net::Task<void> LivePlaylists::answer(Visit& visit, Version version,
                                      media::LiveDirectives directives) {
  auto judged = judge_by(*version, directives);
  if (judged.readiness == media::LiveReadiness::never) {
    co_await refuse(visit, 400, std::move(judged.reason), error_lifetime_s);
    co_return;
  }
  if (judged.readiness == media::LiveReadiness::wait) {
    co_await refuse(visit, 503, "the playlist has not gone on for three target durations",
                    error_lifetime_s);
    co_return;
  }
  visit.outcome = visit.trail.collapsed ? Outcome::joined : Outcome::hit;
  visit.trail.hit = !visit.trail.collapsed;
  visit.trail.forward = visit.trail.hit ? http::Forward::none : http::Forward::stale;
  auto accepted = http::find(visit.request.fields, "Accept-Encoding");
  bool gzip = http::choose_coding(accepted) == http::Coding::gzip;
  const std::string& body = version->body({directives.skip, gzip});
  http::ResponseHead head{200, version->fields()};
  head.headers.add("Cache-Control", lifetime_of(*version, directives));
  head.headers.add("Vary", "Accept-Encoding");
  if (gzip) head.headers.add("Content-Encoding", "gzip");
  deliver_.add_hop_fields(visit, head.headers);
  auto begun = co_await visit.exchange.begin(std::move(head), body.size());
  bool with_body = visit.request.method != "HEAD";
  if (begun && with_body) begun = co_await visit.exchange.write(body);
  if (begun) co_await visit.exchange.finish();
}

net::Task<void> LivePlaylists::refuse(Visit& visit, int status, std::string text,
                                      std::int64_t lifetime) {
  visit.outcome = Outcome::refused;
  visit.trail.collapsed = false;
  auto response = http::problem(status, text);
  response.headers.set("Cache-Control", fmt::format("public, max-age={}", lifetime));
  if (status == 503) response.headers.set("Retry-After", std::to_string(lifetime));
  co_await deliver_.refuse(visit, std::move(response));
}

void LivePlaylists::stop() {
  stopped_->store(true);
  std::unordered_map<std::string, Entry> entries;
  {
    std::lock_guard lock(mutex_);
    entries = entries_;
  }
  for (auto& [key, entry] : entries) {
    entry->given_up = true;
    entry->changed.notify();
  }
}

}  // namespace relay::edge
