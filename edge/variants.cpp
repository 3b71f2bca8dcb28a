#include "edge/variants.hpp"

#include <algorithm>

#include "edge/cache_key.hpp"

namespace relay::edge {
namespace {

constexpr std::uint64_t bookkeeping = 128;
constexpr std::size_t few = Variants::variants_max / 4;

}  // namespace

/// Under the lock.
void Variants::make_room(Shard& shard) {
  std::erase_if(shard.variants, [&](const auto& entry) {
    const Keys& keys = entry.second;
    if (keys.size() > few) return false;
    shard.bytes -= bookkeeping + keys.size() * sizeof(Digest128);
    return true;
  });
  if (shard.bytes <= bytes_max / shard_count / 2) return;
  shard.variants.clear();
  shard.bytes = 0;
}

void Variants::renew(const std::string& key) {
  std::uint64_t primary = hash64(primary_of(key));
  Shard& shard = shards_[primary % shard_count];
  std::lock_guard lock(shard.mutex);
  auto at = shard.variants.find(primary);
  if (at == shard.variants.end()) return;
  auto known = std::ranges::find(at->second, digest128(key));
  if (known != at->second.end()) std::rotate(known, known + 1, at->second.end());
}

std::optional<Digest128> Variants::add(const std::string& key) {
  std::uint64_t primary = hash64(primary_of(key));
  Digest128 digest = digest128(key);
  Shard& shard = shards_[primary % shard_count];
  std::lock_guard lock(shard.mutex);
  if (shard.bytes >= bytes_max / shard_count) make_room(shard);
  auto [at, is_new] = shard.variants.try_emplace(primary);
  Keys& keys = at->second;
  if (is_new) shard.bytes += bookkeeping;
  shard.bytes -= keys.size() * sizeof(Digest128);
  std::erase(keys, digest);
  keys.push_back(digest);
  std::optional<Digest128> oldest;
  if (keys.size() > variants_max) {
    oldest = keys.front();
    keys.erase(keys.begin());
  }
  shard.bytes += keys.size() * sizeof(Digest128);
  return oldest;
}

}  // namespace relay::edge
