// What a flight stores beside a variant, and which variants go for it: once it is in, for the store
// may refuse it.
#include "edge/cache_key.hpp"
#include "edge/fill.hpp"
#include "edge/slice_drop.hpp"

namespace relay::edge {

/// What leads to a variant: the names that choose, under the primary key, and the language that it
/// is in, for clients that want this one above all.
void Fill::store_names(EdgeWorker& worker, const StoredResponse& stored,
                       const std::string& stored_key, const FillRequest& request) {
  if (stored.vary.empty()) return;
  auto store = [&](std::string key, StoredResponse name, std::function<void(bool)> done) {
    name.purge_sequence = stored.purge_sequence;
    cache_.store({std::move(key), encode(name), {}, 0, digest128({}), 1.0}, std::move(done));
  };
  store(request.primary_key, make_variants(stored.vary, wall_now()), [](bool) {});
  if (stored.language.empty() || !chooses_language(stored.vary)) return;
  std::string alias =
      language_key(request.primary_key, stored.vary, request.viewer, stored.language);
  auto done = [this, &worker, alias](bool kept) {
    if (kept) bound_variants(worker, alias);
  };
  store(alias, make_alias(stored_key, wall_now()), std::move(done));
}

/// For one variant more of a key that has its full number, the one goes that was stored longest
/// ago. On the store's thread.
void Fill::bound_variants(EdgeWorker& worker, const std::string& key) {
  auto oldest = variants_.add(key);
  cache::Pin gone = oldest ? cache_.take(*oldest) : nullptr;
  auto stored = gone ? decode(gone->head()) : Result<StoredResponse>();
  if (!stored || stored->sliced_bytes == 0) return;
  auto sliced = std::make_shared<const StoredResponse>(std::move(*stored));
  net::spawn(worker.io, drop_slices(cache_, gone->key(), std::move(sliced), settings_.slice_bytes));
}

}  // namespace relay::edge
