// Purging: what is named goes from the cache and from the flights under way (DESIGN invariant 4).
#include "edge/cache_key.hpp"
#include "edge/edge.hpp"

namespace relay::edge {

/// The order matters: the log first, so that hits and flights that end now see it; then the
/// flights, so that nobody joins what is doomed; then the disk.
Result<Edge::Purged> Edge::purge(const Purge& purge) {
  WallTime at = wall_now();
  auto number = purges_.add(purge, at, steady_now());
  if (!number) return std::unexpected(number.error());
  flights_.disown_if([&](const Flight& flight) {
    FlightView view = flight.view();
    // What it will be tagged with, nobody knows before its head is there.
    if (purge.by == PurgeBy::tag && !view.stored) return true;
    std::vector<std::string> tags;
    if (view.stored) tags = view.stored->cache_tags;
    return purges_.purged_since(flight.purge_sequence(), flight.key(), tags);
  });
  auto kept = purge_journal_->append({*number, at, purge});
  auto objects = purge_sweep_.sweep_at_once();
  purge_sweep_.wake();
  if (!kept) return std::unexpected(kept.error());
  return Purged{*number, objects};
}

}  // namespace relay::edge
