// The door of the cache: find, store, remove. Bodies live in LMDB as uniform chunks, the index and
// the eviction order in memory (DESIGN 4.4–4.8).
//
// Who owns what: the index is sharded by key hash, one short mutex a shard, and shared by all
// threads. One store thread owns the LMDB write side, the eviction policy, the byte budget and
// the graveyard; finds report to it through per-thread rings, so a hit takes no common lock.
//
// A new body stands in memory first, in the window; what leaves the window goes into the store when
// the policy admits it. Up to CacheOptions::memory_bytes of the newest bodies are therefore lost by
// a crash; a clean stop stores them.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/error.hpp"
#include "common/base/hash.hpp"
#include "common/base/limits.hpp"
#include "common/base/metrics.hpp"
#include "common/base/shared_value.hpp"
#include "edge/policy/plan.hpp"
#include "edge/policy/tuner.hpp"

namespace relay::edge::cache {

struct Body;

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
/// limits::tcp_user_timeout and more after that (the graveyard). Of an object in memory: fd is -1,
/// and the bytes are there only while the Object is held.
struct Piece {
  const char* address = nullptr;
  int fd = -1;
  std::uint64_t file_offset = 0;
  std::size_t size = 0;
};

/// A stored response. Immutable; holding the pointer pins its chunks. All calls from any thread.
class Object {
 public:
  Object(std::string key, std::string head, std::shared_ptr<const Body> body);
  ~Object();
  Object(const Object&) = delete;

  const std::string& key() const { return key_; }    // the whole cache key
  const std::string& head() const { return head_; }  // opaque here; edge/stored knows its form
  std::uint64_t body_bytes() const { return body_bytes_; }
  const Digest128& digest() const { return digest_; }
  /// The piece that holds the byte at `offset` (< body_bytes), from that byte on.
  Piece piece(std::uint64_t offset) const;
  /// Still in the window: its pieces have no file.
  bool in_memory() const;
  /// Call before handing a piece to sendfile and again when the last of it was handed over: from
  /// then on the pages may stand in a socket's queue, and the graveyard counts from the last call.
  void note_sendfile() const;
  /// Whether all of it was found in memory a moment ago, so that looking again may be spared.
  bool known_resident(SteadyTime now) const {
    return now - resident_at_.load(std::memory_order_relaxed) < std::chrono::seconds(5);
  }
  void note_resident(SteadyTime now) const { resident_at_.store(now, std::memory_order_relaxed); }
  /// After an unclean stop each body is verified once, on its first use; false: it does not match
  /// its digest, was dropped, and must be treated as a miss. Cheap when already known. May read
  /// the disk: call on the blocking pool when known_good() is false.
  bool verify() const;
  bool known_good() const;
  /// Reads all of it from the disk, if need be; false: the disk does not give it.
  bool can_be_read() const;
  /// The disk did not give all of it: treated as after a verify() that failed.
  void note_unreadable() const;
  /// A parsed form of head(), kept beside it by the first who needs it (null before): parsing it
  /// on every hit would cost more than the rest of a small one. The first one kept stays.
  std::shared_ptr<const void> parsed() const { return parsed_.load(); }
  void keep_parsed(std::shared_ptr<const void> form) const { parsed_.store_first(std::move(form)); }
  /// Another form for all who look from now on.
  void replace_parsed(std::shared_ptr<const void> form) const { parsed_.store(std::move(form)); }
  /// The number of the newest purge that this object is known to have outlived (0: none).
  std::uint64_t purges_noted() const { return purges_noted_.load(std::memory_order_acquire); }
  void note_purges(std::uint64_t number) const {
    purges_noted_.store(number, std::memory_order_release);
  }

  /// For this room.
  const std::shared_ptr<const Body>& body() const { return body_; }
  std::uint64_t id() const { return id_; }
  bool known_bad() const;

 private:
  std::string key_, head_;
  std::uint64_t id_;
  std::uint64_t body_bytes_;
  Digest128 digest_;
  std::shared_ptr<const Body> body_;
  mutable SharedValue<const void> parsed_;
  mutable std::atomic<SteadyTime> resident_at_{SteadyTime{}};
  mutable std::atomic<std::uint64_t> purges_noted_{0};
};
using Pin = std::shared_ptr<const Object>;

/// One that stands in no cache: it is there as long as somebody holds it. `body` has at most
/// limits::chunk_bytes.
Pin make_loose_object(std::string key, std::string_view body);

struct NewObject {
  std::string key;
  std::string head;
  std::vector<ChunkPtr> chunks;  // each full (limits::chunk_bytes) but the last
  std::uint64_t body_bytes = 0;
  Digest128 digest;
  double value = 1.0;  // weight in the eviction order: what a miss costs, relative
  /// Somebody is about to ask for it: it is taken though it has not proved its worth by uses.
  bool awaited = false;
  /// Its bytes, its head and key, and what is kept about it.
  std::uint64_t memory_bytes() const { return body_bytes + head.size() + key.size() + 1024; }
};

struct CacheOptions {
  std::string path;
  std::uint64_t size_bytes = 2ull << 30;  // at least cache_bytes_min
  std::uint64_t memory_bytes = 0;         // of the window that newcomers pass through
  policy::Goal goal = policy::Goal::objects;
};
inline constexpr std::uint64_t cache_bytes_min = 4 << 20;

struct CacheStats {
  /// What the last process stored is being read back: objects and stored_bytes are what its files
  /// tell, and body_bytes is not known yet.
  bool reading = false;
  /// stored_bytes: pages of live bodies and their records; with graveyard_bytes within size_bytes.
  std::uint64_t objects = 0, body_bytes = 0, stored_bytes = 0, size_bytes = 0;
  std::uint64_t graveyard_bytes = 0, evictions = 0, store_failures = 0;
  std::uint64_t memory_bytes = 0;  // of bodies in the window
  std::uint64_t walked = 0;        // objects that calls about many of them looked at
};

/// Outlives its pins' use: destroy it after the last request has ended. (A pin that is left over
/// keeps its files open, so that it stays valid, but then the folder can't be opened again yet.)
class Cache {
 public:
  /// Opens or makes the store. What it holds is found from now on; the index and the books are
  /// rebuilt behind that, and until they are whole, nothing is stored. Orphaned chunks are dropped.
  /// Damaged files are set aside with a warning. Errors: invalid (size), unavailable (another
  /// process has the folder), no_space and other disk errors.
  static Result<std::unique_ptr<Cache>> open(const CacheOptions& options, Metrics& metrics);
  ~Cache();  // waits for the store thread; marks the stop as clean

  /// Null: not here. Thread-safe; no system call, but after open, until the index is whole, a key
  /// that it does not have yet is looked up in the files. Tells the policy of the use.
  Pin find(std::string_view key);
  /// For those who do not answer a request with it: nothing is told.
  Pin peek(std::string_view key) const;

  /// Hands a whole body over. `done(stored)` runs on the store thread once a find() gives it
  /// (true) or it was refused: too big, not worth its place, budget, disk, a body that is not what
  /// its sizes and digest say, or removed meanwhile (false). An older object of the same key is
  /// replaced. Never blocks; a bounded queue refuses when full.
  void store(NewObject object, std::function<void(bool)> done);

  /// What a miss of these keys costs from now on; 0: they are over, and leave before all others
  /// when room is needed. Soon, not at return; forgotten by a restart. Keys that are not here are
  /// ignored.
  void revalue(const std::vector<std::string>& keys, double value);

  /// Replaces only the head (a 304 refreshed it). Ignored when the key holds another object by
  /// now.
  void update_head(const Pin& old, std::string head);

  /// Gone from find() at return; `durable` runs on the store thread once a restart can't bring it
  /// back. Stores of matching keys that were handed over before this call are dropped too.
  void remove(std::string_view key, std::function<void()> durable);
  /// Only this very object, if its key still holds it.
  void remove(const Pin& object);
  /// The same as by key, for those who remember only its digest128(). Returns what stood there.
  Pin take(const Digest128& hash);
  /// All keys for which `matches(key)` holds; returns how many were in the index. `matches` runs
  /// under the index's locks, and until that is whole later as well, on another thread: it owns
  /// what it needs and only looks at the key. A million keys take a good part of a second, so call
  /// it on the blocking pool.
  std::size_t remove_if(std::function<bool(std::string_view)> matches,
                        std::function<void()> durable);

  /// Whether a store() of this key has not had its answer yet.
  bool is_storing(std::string_view key) const;
  /// Calls back on the store thread when every store() of before has had its answer.
  void when_answered(std::function<void()> answered);
  /// Whether it is here. Not a use.
  bool has(std::string_view key) const;
  /// Whether the last try to write to the disk was in vain.
  bool failing() const;
  /// Of the books; before they are whole, of the files (CacheStats::reading).
  CacheStats stats() const;
  /// Until index and books tell of all that the last process stored. Blocks.
  void wait_until_whole() const;
  /// Until every store() of before has had its answer. Blocks, but not for a disk that is broken.
  void wait_until_answered();
  /// The plan in force and what other sizes would miss, of a second ago.
  std::shared_ptr<const policy::Forecast> forecast() const;
  /// Objects in the index; until that is whole, what was stored when the cache was opened.
  std::size_t size() const;
  /// All objects, a part at a time (`number` < parts): no lock is held for longer than it takes to
  /// copy the pins of one. Waits until the index is whole.
  static constexpr std::size_t parts = 64;
  std::vector<Pin> part(std::size_t number) const;
  /// Visits some objects, for the admin API; stops after `most`.
  void visit(std::size_t most, const std::function<void(const Object&)>& see) const;

 private:
  struct Impl;
  explicit Cache(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace relay::edge::cache
