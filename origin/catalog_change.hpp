// How the catalog changes: for its own files only (catalog_change.cpp, catalog_live.cpp,
// catalog_clip.cpp, catalog_growth.cpp, catalog_exact.cpp).
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/http/json_text.hpp"
#include "origin/catalog.hpp"

namespace relay::origin {

inline constexpr std::uint64_t events_kept_max = 10000;

inline Result<std::vector<std::string>> keys_of(const store::WriteTxn& txn, store::Table table,
                                                const std::string& prefix) {
  std::vector<std::string> keys;
  auto cursor = store::Cursor::open(txn, table);  // ends before the transaction does
  if (!cursor) return std::unexpected(cursor.error());
  auto found = cursor->seek(prefix);
  for (; found && *found && cursor->key().starts_with(prefix); found = cursor->next()) {
    keys.emplace_back(cursor->key());
  }
  if (!found) return std::unexpected(found.error());
  return keys;
}

inline Result<void> erase_prefix(store::WriteTxn& txn, store::Table table,
                                 const std::string& prefix) {
  auto keys = keys_of(txn, table, prefix);
  if (!keys) return std::unexpected(keys.error());
  for (const std::string& key : *keys) {
    if (auto erased = txn.erase(table, key); !erased) return std::unexpected(erased.error());
  }
  return {};
}

/// One write transaction with the events that it will cause. Dropped without commit(): nothing
/// happened.
class Catalog::Change {
 public:
  explicit Change(Catalog& catalog)
      : catalog_(catalog), lock_(catalog.writer_), txn_(catalog.env_.write()) {}

  Result<void> ready() const {
    if (!txn_) return std::unexpected(txn_.error());
    return {};
  }
  store::WriteTxn& txn() { return *txn_; }
  const store::WriteTxn& txn() const { return *txn_; }
  const Tables& tables() const { return catalog_.tables_; }

  Result<std::optional<Asset>> asset(std::string_view tenant, std::string_view name) const {
    auto bytes = txn_->get(tables().assets, asset_key(tenant, name));
    if (!bytes) return std::unexpected(bytes.error());
    if (!*bytes) return std::nullopt;
    auto asset = asset_from_stored(**bytes);
    if (!asset) return std::unexpected(asset.error());
    return std::move(*asset);
  }

  Result<void> put(Asset& asset) {
    asset.updated = wall_now();
    std::string data = http::json_text(catalog_.document(asset));
    note({0, asset.tenant, "asset", std::move(data)});
    return txn_->put(tables().assets, asset_key(asset.tenant, asset.name), to_stored(asset));
  }

  void note(Event event) { events_.push_back(std::move(event)); }

  Result<void> commit() {
    std::uint64_t sequence = catalog_.last_sequence_;
    for (Event& event : events_) {
      event.sequence = ++sequence;
      std::string value = event.tenant + '\n' + event.type + '\n' + event.data;
      auto put = txn_->put(tables().events, sequence_key(sequence), value);
      if (!put) return put;
      if (sequence <= events_kept_max) continue;
      auto erased = txn_->erase(tables().events, sequence_key(sequence - events_kept_max));
      if (!erased) return std::unexpected(erased.error());
    }
    if (auto committed = txn_->commit(); !committed) return committed;
    catalog_.last_sequence_ = sequence;
    if (!catalog_.listener_) return {};
    for (const Event& event : events_) catalog_.listener_(event);
    return {};
  }

 private:
  Catalog& catalog_;
  std::lock_guard<std::mutex> lock_;
  Result<store::WriteTxn> txn_;
  std::vector<Event> events_;
};

}  // namespace relay::origin
