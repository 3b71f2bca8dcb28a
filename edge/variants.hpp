// Which variants of each key (Vary) were stored, in their order: a client's own fields choose them,
// so one key must not have them without number. In memory only: a restart counts anew.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/base/hash.hpp"

namespace relay::edge {

/// Thread-safe, sharded by primary key.
class Variants {
 public:
  /// Of one key, with the names that lead to them.
  static constexpr std::size_t variants_max = 128;
  /// Of all; a shard that is full forgets the keys with few variants, or else everything.
  static constexpr std::uint64_t bytes_max = 16 << 20;

  /// Something was stored under `key`: a variant, or a name that leads to one. With more than
  /// variants_max of its primary key, the one that was stored or confirmed longest ago has to go;
  /// its digest128() comes back.
  std::optional<Digest128> add(const std::string& key);
  /// It was confirmed: as good as stored just now. Nothing when it is not known.
  void renew(const std::string& key);

 private:
  static constexpr std::size_t shard_count = 16;
  using Keys = std::vector<Digest128>;  // the last one stored at the end
  struct Shard {
    std::mutex mutex;                                  // guards the rest
    std::unordered_map<std::uint64_t, Keys> variants;  // by the hash of the primary key
    std::uint64_t bytes = 0;
  };
  static void make_room(Shard& shard);

  std::array<Shard, shard_count> shards_;
};

}  // namespace relay::edge
