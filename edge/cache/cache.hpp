// The door of the cache: find, store, remove. Bodies live in LMDB as uniform chunks, the index and
// the eviction order in memory (DESIGN 4.4–4.8).
//
// Who owns what: the index is sharded by key hash, one short mutex a shard, and shared by all
// threads. One store thread owns the LMDB write side, the eviction policy, the byte budget and
// the graveyard; finds report to it through per-thread rings, so a hit takes no common lock.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.hpp"
#include "common/base/hash.hpp"
#include "common/base/limits.hpp"
#include "common/base/metrics.hpp"

namespace relay::edge::cache {

/// Bytes on their way: filled once by a flight, then shared by its readers and the store thread.
struct Chunk {
  explicit Chunk(std::size_t capacity) : data(new char[capacity]), capacity(capacity) {}
  std::unique_ptr<char[]> data;
  std::size_t capacity;
  std::size_t size = 0;  // only the flight's leader raises it
  std::string_view view() const { return {data.get(), size}; }
};
using ChunkPtr = std::shared_ptr<Chunk>;

/// A run of a stored body. The address is in LMDB's read-only map; fd and offset name the same
/// bytes for sendfile. Valid while the Object that gave it is held, and for
/// limits::tcp_user_timeout and more after that (the graveyard).
struct Piece {
  const char* address = nullptr;
  int fd = -1;
  std::uint64_t file_offset = 0;
  std::size_t size = 0;
};

/// A stored response. Immutable; holding the pointer pins its chunks.
class Object {
 public:
  virtual ~Object() = default;
  const std::string& key() const { return key_; }    // the whole cache key
  const std::string& head() const { return head_; }  // opaque here; edge/stored knows its form
  std::uint64_t body_bytes() const { return body_bytes_; }
  const Digest128& digest() const { return digest_; }
  /// The piece that holds the byte at `offset` (< body_bytes), from that byte on.
  virtual Piece piece(std::uint64_t offset) const = 0;
  /// Call before handing a piece to sendfile: from now on the pages may stand in a socket's queue.
  virtual void note_sendfile() const = 0;
  /// After an unclean stop each body is verified once, on its first use; false: it does not match
  /// its digest, was dropped, and must be treated as a miss. Cheap when already known. May read
  /// the disk: call on the blocking pool when known_good() is false.
  virtual bool verify() const = 0;
  virtual bool known_good() const = 0;
  /// A parsed form of head(), kept beside it by the first who needs it (null before). Safe from
  /// several threads: all parse the same text, the last one kept wins.
  std::shared_ptr<const void> parsed() const { return parsed_.load(std::memory_order_acquire); }
  void keep_parsed(std::shared_ptr<const void> form) const {
    parsed_.store(std::move(form), std::memory_order_release);
  }

 protected:
  std::string key_, head_;
  std::uint64_t body_bytes_ = 0;
  Digest128 digest_;
  mutable std::atomic<std::shared_ptr<const void>> parsed_;
};
using Pin = std::shared_ptr<const Object>;

struct NewObject {
  std::string key;
  std::string head;
  std::vector<ChunkPtr> chunks;  // each full (limits::chunk_bytes) but the last
  std::uint64_t body_bytes = 0;
  Digest128 digest;
  double value = 1.0;  // weight in the eviction order: what a miss costs, relative
};

struct CacheOptions {
  std::string path;
  std::uint64_t size_bytes = 2ull << 30;
};

struct CacheStats {
  std::uint64_t objects = 0, body_bytes = 0, stored_bytes = 0, size_bytes = 0;
  std::uint64_t graveyard_bytes = 0, evictions = 0, store_failures = 0;
};

class Cache {
 public:
  /// Opens or makes the store and rebuilds the index. Orphaned chunks are dropped.
  static Result<std::unique_ptr<Cache>> open(const CacheOptions& options, Metrics& metrics);
  virtual ~Cache() = default;  // waits for the store thread; marks the stop as clean

  /// Null: not here. Thread-safe, no system call. Tells the policy of the use.
  virtual Pin find(std::string_view key) = 0;

  /// Hands a whole body over. `done(stored)` runs on the store thread once a find() gives it
  /// (true) or it was refused: too big, budget, disk, or removed meanwhile (false). An older
  /// object of the same key is replaced. Never blocks; a bounded queue refuses when full.
  virtual void store(NewObject object, std::function<void(bool)> done) = 0;

  /// Replaces only the head (a 304 refreshed it). Ignored when the key holds another object by
  /// now.
  virtual void update_head(const Pin& old, std::string head) = 0;

  /// Gone from find() at return; `durable` runs on the store thread once a restart can't bring it
  /// back. Stores of matching keys that were handed over before this call are dropped too.
  virtual void remove(std::string_view key, std::function<void()> durable) = 0;
  /// All keys for which `matches(key)` holds; returns how many were in the index.
  virtual std::size_t remove_if(std::function<bool(std::string_view)> matches,
                                std::function<void()> durable) = 0;

  virtual CacheStats stats() const = 0;
  /// Visits some objects, for the admin API; stops after `most`.
  virtual void visit(std::size_t most, const std::function<void(const Object&)>& see) const = 0;
};

}  // namespace relay::edge::cache
