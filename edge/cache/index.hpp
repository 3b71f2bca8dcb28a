// Which objects are here, by the hash of their key. Sharded by that hash, one short mutex a shard;
// every call from any thread. Two keys with the same 128-bit hash cannot both be here; find()
// compares the whole key, so the worst of a collision is a miss.
#pragma once

#include <array>
#include <atomic>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string_view>
#include <vector>

#include "common/base/hash.hpp"
#include "edge/cache/cache.hpp"

namespace relay::edge::cache {

class Index {
 public:
  static constexpr std::size_t shard_count = 64;

  Pin find(const Digest128& hash, std::string_view key) const;
  /// Whatever object has this hash.
  Pin find(const Digest128& hash) const;
  /// The object of this hash when it still is the one with this id.
  Pin find(const Digest128& hash, std::uint64_t id) const;
  /// Makes room for so many objects.
  void reserve(std::size_t objects);
  /// The object that had this hash before, or null.
  Pin put(const Digest128& hash, Pin object);
  /// False, and nothing happens, when the hash holds another object by now.
  bool replace(const Digest128& hash, const Pin& old, Pin next);
  /// The object that was taken out, or null.
  Pin remove(const Digest128& hash, std::string_view key);
  /// Takes the object out when it still is the one with this id.
  Pin remove(const Digest128& hash, std::uint64_t id);
  /// All objects of one shard.
  std::vector<Pin> objects_of(std::size_t shard) const;
  std::size_t size() const;
  /// Objects that were looked at one by one, by remove_if, visit and objects_of.
  std::uint64_t walked() const { return walked_.load(std::memory_order_relaxed); }
  std::vector<Pin> remove_if(const std::function<bool(std::string_view)>& matches);
  /// Stops when `see` answers false. `see` runs under a shard's lock.
  void visit(const std::function<bool(const Pin&)>& see) const;

 private:
  struct HashOfHash {
    using is_avalanching = void;  // XXH3 has mixed the bits already
    std::size_t operator()(const Digest128& hash) const { return hash.low; }
  };
  using Map = boost::unordered_flat_map<Digest128, Pin, HashOfHash>;
  struct alignas(64) Shard {
    mutable std::mutex lock;  // guards objects
    Map objects;
  };
  Shard& shard(const Digest128& hash) { return shards_[hash.high % shard_count]; }
  const Shard& shard(const Digest128& hash) const { return shards_[hash.high % shard_count]; }

  std::array<Shard, shard_count> shards_;
  mutable std::atomic<std::uint64_t> walked_{0};
};

}  // namespace relay::edge::cache
