// Purging: what is named goes from the cache and from the flights under way (DESIGN invariant 4).
#include "edge/edge.hpp"

namespace relay::edge {

/// The order matters: the log first, so that a flight that ends now sees it; then the flights, so
/// that nobody joins what is doomed; then the cache.
std::size_t Edge::purge(const Purge& purge, std::function<void()> durable) {
  purges_.add(purge, steady_now());
  auto by_key = [purge](std::string_view key) { return purge.matches(key); };
  if (!purge.needs_tags()) flights_.disown_if(by_key);
  if (!purge.soft && !purge.needs_tags()) return cache_.remove_if(by_key, std::move(durable));
  std::vector<std::string> keys = keys_of(purge);
  for (const std::string& key : keys) {
    if (purge.soft) {
      mark_stale(key);
    } else {
      cache_.remove(key, [] {});
    }
  }
  // Commits run in order, so this one comes after all of those.
  cache_.remove_if([](std::string_view) { return false; }, std::move(durable));
  return keys.size();
}

std::vector<std::string> Edge::keys_of(const Purge& purge) const {
  std::vector<std::string> keys;
  cache_.visit(SIZE_MAX, [&](const cache::Object& object) {
    std::vector<std::string> tags;
    if (purge.needs_tags()) {
      if (auto stored = decode(object.head())) tags = std::move(stored->cache_tags);
    }
    if (purge.matches(object.key(), tags)) keys.push_back(object.key());
  });
  return keys;
}

void Edge::mark_stale(const std::string& key) {
  cache::Pin object = cache_.find(key);
  if (!object) return;
  auto stored = decode(object->head());
  if (!stored || stored->kind != StoredKind::response) return;
  cache_.update_head(object, encode(relay::edge::mark_stale(*stored, wall_now())));
}

}  // namespace relay::edge
