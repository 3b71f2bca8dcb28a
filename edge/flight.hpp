// One upstream fetch of one key, shared by everybody who waits for it (DESIGN 4.7). A flight
// belongs to the cache, not to the client that began it: chunks append, readers attach at any
// offset and are woken for each chunk, nobody polls. It ends complete, or aborted; a reader of an
// aborted one resets its own connection.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/base/error.hpp"
#include "common/base/hash.hpp"
#include "common/http/repr_digest.hpp"
#include "common/net/broadcast.hpp"
#include "edge/beginning.hpp"
#include "edge/cache/cache.hpp"
#include "edge/lookup.hpp"
#include "edge/stored.hpp"

namespace relay::edge {

enum class FlightState {
  asking,       // no head yet
  streaming,    // head known, bytes arrive
  complete,     // all bytes are here, length and digest agree
  sliced,       // head known; the body goes by flights of its slices
  confirmed,    // a 304: the stored object is good again
  found,        // it was in the cache by then: nobody was asked
  uncacheable,  // not to be shared: whoever waits asks for itself
  failed,
};

/// Bytes of bodies in flight, over all flights; when it is used up, answers are passed on without
/// being kept.
class FlightMemory {
 public:
  explicit FlightMemory(std::uint64_t bytes_max) : bytes_max_(bytes_max) {}
  bool has_room(std::uint64_t bytes) const { return used() + bytes <= bytes_max_; }
  void add(std::uint64_t bytes) { used_.fetch_add(bytes, std::memory_order_relaxed); }
  void give_back(std::uint64_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }
  std::uint64_t used() const { return used_.load(std::memory_order_relaxed); }

 private:
  const std::uint64_t bytes_max_;
  std::atomic<std::uint64_t> used_{0};
};

/// What a reader sees at one moment.
struct FlightView {
  FlightState state = FlightState::asking;
  StoredPtr stored;                                 // from streaming or confirmed on
  std::string stored_key;                           // the key that the answer will be found under
  std::string upstream_trail;                       // the Cache-Status of the hops behind this one
  std::shared_ptr<const http::Headers> own_fields;  // for the leader's client only
  int upstream_status = 0;
  std::optional<std::uint64_t> length;  // of the body; known at the latest when complete
  std::uint64_t received = 0;
  cache::Pin object;           // when confirmed or found
  std::optional<Error> error;  // when failed
};

class Flight {
 public:
  Flight(std::string key, std::uint64_t purge_sequence, FlightMemory& memory);
  ~Flight();
  Flight(const Flight&) = delete;

  const std::string& key() const { return key_; }
  std::uint64_t purge_sequence() const { return purge_sequence_; }
  /// Read its version before view(); wait on it for what comes next.
  net::Broadcast& changed() { return changed_; }
  FlightView view() const;
  /// The bytes from `offset` that lie in one chunk and have arrived; empty: none yet. They stay
  /// as long as the flight. The last byte of a body of known length is held back until the flight
  /// is complete: a body that turns out wrong never reaches anybody whole.
  std::string_view bytes_at(std::uint64_t offset) const;

  /// A member has told that it holds the beginning of this body. Of several the longest counts.
  void offer(Beginning beginning);

  // The leader's side; one thread.
  /// The beginning that was offered, if it is so many bytes longer than what has come: once, then
  /// it is gone.
  std::optional<Beginning> take_offer(std::uint64_t gain_min);
  /// Counts the bytes of a body before its head has come, for those who ask for room meanwhile.
  void reserve(std::uint64_t bytes);
  /// `own_fields`: what the answer has for the first client alone.
  void begin_body(StoredPtr stored, std::string stored_key, std::string upstream_trail,
                  std::optional<std::uint64_t> length, http::Headers own_fields = {});
  /// A body without a length has been found to have this one.
  void know_length(std::uint64_t length);
  /// Before the first byte: what its upstream says that all of them are.
  void promise(http::ShaCheck promised);
  /// Room for the next bytes; fill some and tell how many.
  std::span<char> room();
  void append(std::size_t bytes);
  /// All bytes came: gives the body's digest.
  Digest128 digest() const;
  /// Once, when all bytes came: whether they are what was promised, if anything was.
  bool keeps_promise();
  std::vector<cache::ChunkPtr> chunks() const;
  void complete();
  void confirm(cache::Pin object, StoredPtr stored, std::string upstream_trail);
  /// An earlier flight has left it in the cache.
  void find(cache::Pin object);
  /// Only the head belongs to this flight: the body is large and comes by slices.
  void slice(StoredPtr stored, std::string stored_key, std::string upstream_trail,
             http::Headers own_fields = {});
  void uncacheable();
  void fail(Error error);

  /// A purge came: what this brings is for those who wait already, and is not kept.
  void disown() { disowned_.store(true, std::memory_order_release); }
  bool disowned() const { return disowned_.load(std::memory_order_acquire); }

 private:
  void know_head(StoredPtr stored, std::string stored_key, std::string upstream_trail,
                 http::Headers own_fields);
  void settle(FlightState state);
  void count(std::uint64_t bytes);

  const std::string key_;
  const std::uint64_t purge_sequence_;
  FlightMemory& memory_;
  net::Broadcast changed_;
  std::atomic<bool> disowned_{false};
  mutable std::mutex mutex_;  // guards what follows, but for the bytes behind chunk sizes
  FlightView view_;
  std::optional<Beginning> offer_;
  std::vector<cache::ChunkPtr> chunks_;
  std::uint64_t counted_bytes_ = 0;  // in memory_; the whole of a known length at once
  DigestStream digest_;              // leader only, as the next
  std::optional<http::ShaCheck> promised_;
};

/// What is told when there is no place for one more who waits.
Error too_many_wait();

/// The flights under way, by key, and the memory of keys whose answers can't be shared, so that
/// their requests do not wait for one another in vain. Thread-safe, sharded.
class FlightTable {
 public:
  struct Joined {
    std::shared_ptr<Flight> flight;
    bool leader = false;  // made just now: ask upstream, and leave() when it has ended
  };
  /// Without a flight: limits::waiters_max hold that one already.
  Joined join(const std::string& key, std::uint64_t purge_sequence, FlightMemory& memory);
  /// Null: there is none.
  std::shared_ptr<Flight> find(const std::string& key) const;
  /// Later requests for the key make a new flight.
  void leave(const Flight& flight);
  /// Disowns and removes the flights that match.
  void disown_if(const std::function<bool(const Flight&)>& matches);
  /// The least purge sequence of a flight under way.
  std::optional<std::uint64_t> oldest_begun() const;

  /// Keys of other forms tell of other things that are so for a moment: no_ranges_key (slicing),
  /// failed_key and refused_key (cache_key).
  void remember_unshared(std::string_view key, WallTime until);
  bool unshared(std::string_view key, WallTime now);
  /// Its answers can be shared by now.
  void forget_unshared(std::string_view key);
  std::size_t size() const;

 private:
  static constexpr std::size_t shard_count = 16;
  static constexpr std::size_t unshared_max = 4096;  // a shard; forgotten all at once beyond
  struct Shard {
    mutable std::mutex mutex;  // guards the two maps
    std::unordered_map<std::string, std::shared_ptr<Flight>> flights;
    std::unordered_map<std::uint64_t, WallTime> unshared;
  };
  Shard& shard_of(std::string_view key) { return shards_[hash64(key) % shard_count]; }
  const Shard& shard_of(std::string_view key) const { return shards_[hash64(key) % shard_count]; }
  std::array<Shard, shard_count> shards_;
};

}  // namespace relay::edge
