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

/// The stored response as purges since its fetch left it; null when it is dead.
StoredPtr Edge::outlived(const cache::Pin& object, StoredPtr stored) {
  std::uint64_t newest = purges_.sequence();
  auto tags = [&] { return std::span<const std::string>(stored->cache_tags); };
  PurgeVerdict verdict = purges_.judge(stored->purge_sequence, object->key(), tags);
  if (verdict.dead) {
    cache_.remove(object);
    return nullptr;
  }
  bool has_lifetime = stored->kind == StoredKind::response || stored->kind == StoredKind::part;
  if (verdict.stale_from && has_lifetime) {
    auto stale = std::make_shared<const StoredResponse>(mark_stale(*stored, *verdict.stale_from));
    object->replace_parsed(stale);
    stored = std::move(stale);
  }
  object->note_purges(newest);
  return stored;
}

}  // namespace relay::edge
