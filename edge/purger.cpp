#include "edge/purger.hpp"

#include <algorithm>
#include <utility>

#include "common/base/log.hpp"

namespace relay::edge {

Purger::Purger(FlightTable& flights, PurgeLog& log, PurgeJournal& journal, PurgeSweep& sweep,
               PurgeHistory& history)
    : flights_(flights), log_(log), journal_(journal), sweep_(sweep), history_(history) {
}

/// The order matters: the log first, so that hits and flights that end now see it; then the
/// flights, so that nobody joins what is doomed; then the disk.
Result<NumberedPurge> Purger::mark(const Purge& purge, WallTime at) {
  auto number = log_.add(purge, at, steady_now());
  if (!number) return std::unexpected(number.error());
  flights_.disown_if([&](const Flight& flight) {
    FlightView view = flight.view();
    // What it will be tagged with, nobody knows before its head is there.
    if (purge.by == PurgeBy::tag && !view.stored) return true;
    std::vector<std::string> tags;
    if (view.stored) tags = view.stored->cache_tags;
    return log_.purged_since(flight.purge_sequence(), flight.key(), tags);
  });
  return NumberedPurge{*number, at, purge};
}

Result<Purger::Purged> Purger::purge(const Purge& purge) {
  Purged purged;
  Result<void> kept;
  {
    std::lock_guard lock(mutex_);
    WallTime at = wall_now();
    auto marked = mark(purge, at);
    if (!marked) return std::unexpected(marked.error());
    purged.number = marked->number;
    PurgeChange change;
    if (!purge.here_only) {
      change = history_.change_of(history_.make(purge, at));
      purged.id = change.purges.front().id;
    }
    kept = journal_.append({&*marked, 1}, change);
    if (kept) history_.adopt(std::move(change));
  }
  purged.objects = sweep_.sweep_at_once();
  sweep_.wake();
  if (!kept) {
    log::error("a restart may undo a purge", {kv("why", kept.error().message)});
    return std::unexpected(kept.error());
  }
  return purged;
}

/// The clock of the member that took it may be ahead: what is softly purged is stale from now on.
Result<std::vector<NumberedPurge>> Purger::mark_all(const PurgeChange& change) {
  std::vector<NumberedPurge> numbered;
  WallTime now = wall_now();
  auto add = [&](const Purge& purge, WallTime at) -> Result<void> {
    auto marked = mark(purge, std::min(at, now));
    if (!marked) return std::unexpected(marked.error());
    numbered.push_back(std::move(*marked));
    return {};
  };
  Result<void> added;
  if (change.lost) {
    log::warn("purges were missed that nobody remembers: everything is purged", {});
    added = add({.by = PurgeBy::all}, now);
  }
  for (std::size_t i = 0; added && i < change.purges.size(); ++i) {
    added = add(change.purges[i].purge, change.purges[i].at);
  }
  if (!added) return std::unexpected(added.error());
  return numbered;
}

Result<void> Purger::take(const PurgeNews& news) {
  std::lock_guard lock(mutex_);
  PurgeChange change = history_.change_of(news);
  if (change.empty()) return {};
  auto numbered = mark_all(change);
  sweep_.wake();  // also when there were too many: it makes room
  if (!numbered) return std::unexpected(numbered.error());
  auto kept = journal_.append(*numbered, change);
  if (kept) history_.adopt(std::move(change));
  return kept;
}

}  // namespace relay::edge
