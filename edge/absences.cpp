#include "edge/absences.hpp"

#include "edge/cache_key.hpp"

namespace relay::edge {
namespace {

std::uint64_t bytes_of(const Found& found) {
  constexpr std::uint64_t bookkeeping = 512;
  return bookkeeping + 2 * found.object->key().size() + found.stored->head_text.size() +
         found.object->body_bytes();
}

bool is_over(const Found& found, WallTime now) {
  return judge(found.stored->freshness, {}, now).use != Use::fresh;
}

}  // namespace

std::size_t Absences::number_of(std::string_view key) {
  return hash64(primary_of(key)) % shard_count;
}

/// Under the lock.
void Absences::forget_if(Shard& shard, const auto& over) {
  std::erase_if(shard.found, [&](const auto& entry) {
    if (!over(entry.second)) return false;
    shard.bytes -= bytes_of(entry.second);
    return true;
  });
}

void Absences::keep(const std::string& key, StoredPtr stored, std::string_view body, WallTime now) {
  constexpr std::uint64_t shard_bytes_max = bytes_max / shard_count;
  Found found{cache::make_loose_object(key, body), std::move(stored)};
  std::uint64_t bytes = bytes_of(found);
  if (body.size() > body_bytes_max || bytes > shard_bytes_max) return;
  Shard& shard = shards_[number_of(key)];
  std::lock_guard lock(shard.mutex);
  auto exceeds = [&] { return shard.bytes + bytes > shard_bytes_max; };
  if (exceeds()) forget_if(shard, [&](const Found& each) { return is_over(each, now); });
  if (exceeds()) forget_if(shard, [](const Found&) { return true; });
  Found& place = shard.found[std::string(primary_of(key))];
  if (place) shard.bytes -= bytes_of(place);
  place = std::move(found);
  shard.bytes += bytes;
}

Found Absences::find(std::string_view key) const {
  const Shard& shard = shards_[number_of(key)];
  std::lock_guard lock(shard.mutex);
  if (shard.found.empty()) return {};
  auto at = shard.found.find(std::string(primary_of(key)));
  bool is_it = at != shard.found.end() && at->second.object->key() == key;
  return is_it ? at->second : Found{};
}

void Absences::remove(std::string_view primary) {
  Shard& shard = shards_[number_of(primary)];
  std::lock_guard lock(shard.mutex);
  if (shard.found.empty()) return;
  auto at = shard.found.find(std::string(primary_of(primary)));
  if (at == shard.found.end()) return;
  shard.bytes -= bytes_of(at->second);
  shard.found.erase(at);
}

}  // namespace relay::edge
