#include "edge/cache/index.hpp"

#include <cmath>
#include <utility>

namespace relay::edge::cache {

Pin Index::find(const Digest128& hash, std::string_view key) const {
  const Shard& at = shard(hash);
  std::lock_guard guard(at.lock);
  auto known = at.objects.find(hash);
  if (known == at.objects.end() || known->second->key() != key) return nullptr;
  return known->second;
}

Pin Index::find(const Digest128& hash) const {
  const Shard& at = shard(hash);
  std::lock_guard guard(at.lock);
  auto known = at.objects.find(hash);
  return known == at.objects.end() ? nullptr : known->second;
}

Pin Index::find(const Digest128& hash, std::uint64_t id) const {
  const Shard& at = shard(hash);
  std::lock_guard guard(at.lock);
  auto known = at.objects.find(hash);
  if (known == at.objects.end() || known->second->id() != id) return nullptr;
  return known->second;
}

void Index::reserve(std::size_t objects) {
  // Shards differ by the square root of what they hold, a few times over.
  std::size_t each = objects / shard_count;
  each += 4 * static_cast<std::size_t>(std::sqrt(static_cast<double>(each)));
  for (Shard& at : shards_) {
    std::lock_guard guard(at.lock);
    at.objects.reserve(each);
  }
}

Pin Index::put(const Digest128& hash, Pin object) {
  Shard& at = shard(hash);
  std::lock_guard guard(at.lock);
  return std::exchange(at.objects[hash], std::move(object));
}

bool Index::replace(const Digest128& hash, const Pin& old, Pin next) {
  Shard& at = shard(hash);
  std::lock_guard guard(at.lock);
  auto known = at.objects.find(hash);
  if (known == at.objects.end() || known->second != old) return false;
  known->second.swap(next);  // the caller's `old` keeps it from being destroyed under the lock
  return true;
}

Pin Index::remove(const Digest128& hash, std::string_view key) {
  Shard& at = shard(hash);
  std::lock_guard guard(at.lock);
  auto known = at.objects.find(hash);
  if (known == at.objects.end() || known->second->key() != key) return nullptr;
  Pin taken = std::move(known->second);
  at.objects.erase(known);
  return taken;
}

Pin Index::remove(const Digest128& hash, std::uint64_t id) {
  Shard& at = shard(hash);
  std::lock_guard guard(at.lock);
  auto known = at.objects.find(hash);
  if (known == at.objects.end() || known->second->id() != id) return nullptr;
  Pin taken = std::move(known->second);
  at.objects.erase(known);
  return taken;
}

std::vector<Pin> Index::objects_of(std::size_t shard) const {
  const Shard& at = shards_[shard];
  std::vector<Pin> objects;
  std::lock_guard guard(at.lock);
  objects.reserve(at.objects.size());
  walked_.fetch_add(at.objects.size(), std::memory_order_relaxed);
  for (const auto& [hash, object] : at.objects) objects.push_back(object);
  return objects;
}

std::size_t Index::size() const {
  std::size_t n = 0;
  for (const Shard& at : shards_) {
    std::lock_guard guard(at.lock);
    n += at.objects.size();
  }
  return n;
}

std::vector<Pin> Index::remove_if(const std::function<bool(std::string_view)>& matches) {
  std::vector<Pin> taken;
  for (Shard& at : shards_) {
    std::lock_guard guard(at.lock);
    walked_.fetch_add(at.objects.size(), std::memory_order_relaxed);
    boost::unordered::erase_if(at.objects, [&](auto& entry) {
      if (!matches(entry.second->key())) return false;
      taken.push_back(entry.second);
      return true;
    });
  }
  return taken;
}

void Index::visit(const std::function<bool(const Pin&)>& see) const {
  for (const Shard& at : shards_) {
    std::lock_guard guard(at.lock);
    walked_.fetch_add(at.objects.size(), std::memory_order_relaxed);
    for (const auto& [hash, object] : at.objects) {
      if (!see(object)) return;
    }
  }
}

}  // namespace relay::edge::cache
