#include "edge/lookup.hpp"

#include <span>
#include <utility>

#include "common/base/log.hpp"
#include "edge/cache_key.hpp"

namespace relay::edge {
namespace {

/// The parsed head of an object, parsed once and kept beside it.
StoredPtr stored_of(const cache::Object& object) {
  if (auto parsed = object.parsed()) {
    return std::static_pointer_cast<const StoredResponse>(std::move(parsed));
  }
  auto stored = decode(object.head());
  if (!stored) return nullptr;
  stored->media = hls::kind_of(primary_of(object.key()), stored->content_type);
  object.keep_parsed(std::make_shared<const StoredResponse>(std::move(*stored)));
  return std::static_pointer_cast<const StoredResponse>(object.parsed());
}

}  // namespace

bool is_dead(const Found& found, const PurgeLog& purges) {
  if (!found || found.object->purges_noted() == purges.sequence()) return false;
  auto tags = [&] { return std::span<const std::string>(found.stored->cache_tags); };
  return purges.judge(found.stored->purge_sequence, found.object->key(), tags).dead;
}

bool may_serve_stale_on_error(const Found& stale, const PurgeLog& purges, WallTime now,
                              std::chrono::milliseconds grace) {
  return stale && !is_dead(stale, purges) &&
         may_serve_stale_on_error(stale.stored->freshness, now, grace);
}

net::Task<Found> Lookup::find(std::string key) const {
  cache::Pin object = cache_.find(key);
  if (!object) co_return Found{};
  if (!object->known_good()) {
    auto check = [&] { return object->verify(); };
    if (!co_await net::run_blocking(blocking_, check)) co_return Found{};
  }
  StoredPtr stored = stored_of(*object);
  if (!stored) drop_unreadable(object);
  if (stored && object->purges_noted() != purges_.sequence()) stored = outlived(object, stored);
  if (!stored) co_return Found{};
  co_return Found{std::move(object), std::move(stored)};
}

/// A store that another release has filled may be full of them: told once.
void Lookup::drop_unreadable(const cache::Pin& object) const {
  cache_.remove(object);
  if (told_unreadable_.exchange(true)) return;
  log::warn("stored heads of another form are dropped", {kv("key", object->key())});
}

/// The stored response as purges since its fetch left it; null when it is dead.
StoredPtr Lookup::outlived(const cache::Pin& object, StoredPtr stored) const {
  std::uint64_t newest = purges_.sequence();
  auto tags = [&] { return std::span<const std::string>(stored->cache_tags); };
  PurgeVerdict verdict = purges_.judge(stored->purge_sequence, object->key(), tags);
  if (verdict.dead) {
    cache_.remove(object);
    return nullptr;
  }
  if (verdict.stale_from && has_lifetime(*stored)) {
    auto stale = std::make_shared<const StoredResponse>(mark_stale(*stored, *verdict.stale_from));
    object->replace_parsed(stale);
    stored = std::move(stale);
  }
  object->note_purges(newest);
  return stored;
}

}  // namespace relay::edge
