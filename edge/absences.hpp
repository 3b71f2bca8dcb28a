// What upstream said a moment ago is not there: 404 and 410 without a lifetime of their own, for
// as long as cache.negative says. In memory only: they are gone in moments, and whoever asks for
// names at random must not push bodies out of the store.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "common/base/hash.hpp"
#include "edge/lookup.hpp"

namespace relay::edge {

/// Thread-safe, sharded by primary key.
class Absences {
 public:
  /// Longer bodies are given only to those who wait already.
  static constexpr std::uint64_t body_bytes_max = 32 << 10;
  /// Of all; a shard that is full forgets what is over, or else everything.
  static constexpr std::uint64_t bytes_max = 16 << 20;

  /// `stored` has a lifetime by now. Replaces what the primary key had.
  void keep(const std::string& key, StoredPtr stored, std::string_view body, WallTime now);
  /// Empty: none. It may be over, or purged.
  Found find(std::string_view key) const;
  /// Of a primary key, whichever variant it is of.
  void remove(std::string_view primary);

 private:
  static constexpr std::size_t shard_count = 16;
  struct Shard {
    mutable std::mutex mutex;                      // guards the rest
    std::unordered_map<std::string, Found> found;  // by primary key, one each
    std::uint64_t bytes = 0;
  };
  static void forget_if(Shard& shard, const auto& over);
  static std::size_t number_of(std::string_view key);

  std::array<Shard, shard_count> shards_;
};

}  // namespace relay::edge
