// A body: where its chunks lie, in the store or still in the window's memory, whether they were
// found to be right, and when they were last handed to a socket. Shared by the objects that show it
// (a refreshed head makes a new object over the same body), by the store thread's books, and after
// removal by the graveyard.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/hash.hpp"
#include "edge/cache/cache.hpp"
#include "edge/cache/volume.hpp"
#include "edge/cache/window_memory.hpp"

namespace relay::edge::cache {

enum class Knowledge : std::uint8_t { good, unverified, bad };

struct Body {
  std::uint64_t id = 0;
  Digest128 hash;  // of the cache key
  std::uint64_t bytes = 0;
  Digest128 digest;
  double value = 1.0;
  /// The order in which bodies were handed over: of two of one key the later one counts. A body
  /// that is tried again gets another id and keeps its place.
  std::uint64_t arrival = 0;
  std::uint64_t charge_bytes = 0;  // of the store's budget, in the window too
  std::shared_ptr<const Volume> volume;
  std::vector<std::uint64_t> offsets;  // of each chunk in the shelf's file; fixed once published
  bool in_memory = false;  // in the window: chunks hold it, volume and offsets are empty
  std::vector<ChunkPtr> chunks;
  WindowMemory::Charge memory;  // of the window's
  mutable std::atomic<Knowledge> knowledge{Knowledge::good};
  mutable std::atomic<SteadyTime::rep> last_sendfile{0};  // 0: never

  ShelfName shelf() const { return shelf_of(bytes); }
  const Shelf& shelf_on_disk() const { return volume->shelf(shelf()); }
  /// Reads all pages and compares with the digest.
  bool matches_digest() const;
};

}  // namespace relay::edge::cache
