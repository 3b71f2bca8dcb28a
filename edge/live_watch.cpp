// One watcher for all live playlists that are followed, from the first of them to the last.
#include <chrono>
#include <span>

#include "common/net/timer.hpp"
#include "edge/live_playlists.hpp"

namespace relay::edge {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds look_each = 250ms;
constexpr int ticks_quiet = 4;

}  // namespace

net::Task<void> LivePlaylists::watch(EdgeWorker& worker) {
  net::Timer timer(worker.io);
  for (auto all = followed_now(); !all.empty(); all = followed_now()) {
    for (const Entry& entry : all) look_at(*entry);
    all.clear();
    timer.expires_after(look_each);
    co_await timer.async_wait(net::use_result);
  }
}

/// Empty: there is none, and who makes one begins another watcher.
std::vector<LivePlaylists::Entry> LivePlaylists::followed_now() {
  std::lock_guard lock(mutex_);
  std::vector<Entry> all;
  all.reserve(entries_.size());
  for (const auto& [key, entry] : entries_) all.push_back(entry);
  watched_ = !all.empty();
  return all;
}

/// A request that upstream holds brings nothing of use once a purge named its playlist, and it may
/// be held for long: it is given up. And whoever waits looks at the clock when nothing has come for
/// a second, for upstream may hold a request for longer than a viewer may be kept.
void LivePlaylists::look_at(LivePlaylist& entry) const {
  Version version = entry.newest.load();
  std::span<const std::string> tags;
  if (version) tags = version->cache_tags();
  if (purges_.purged_since(entry.asked_sequence, entry.key, tags)) entry.given_up = true;
  std::uint64_t now = entry.changed.version();
  entry.quiet_ticks = now == entry.seen ? entry.quiet_ticks + 1 : 0;
  if (entry.quiet_ticks % ticks_quiet == ticks_quiet - 1) entry.changed.notify();
  entry.seen = entry.changed.version();
}

}  // namespace relay::edge
