// What the last process stored and this one has not read back yet. Requests are served from the
// first moment on: the store thread reads everything, in the order of ids, and a find that misses
// meanwhile takes its object here, ahead of its turn. The keys of all header records, read at open,
// tell which of them is whose. Nothing is written into the store before all of it is read.
//
// Each object is shown in the index once, by whoever comes to it first; after its turn the index
// alone tells whether it is here, so that nothing that was removed since can come back. Who takes
// an object and who keeps the books share one Body: the graveyard counts its holders.
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "edge/cache/body.hpp"
#include "edge/cache/index.hpp"
#include "edge/cache/stop_marker.hpp"

namespace relay::edge::cache {

/// A stored object as it lies in the files.
struct Revived {
  Pin object;
  std::shared_ptr<Body> body;
};

class Backlog {
 public:
  /// Sockets of the last process may still be sending, so every body counts as sent at `now`.
  Backlog(std::shared_ptr<Volume> volume, const LastStop& last, Index& index, SteadyTime now);

  /// All of it is read: nothing is to be had here any more. Any thread.
  bool whole() const { return whole_.load(std::memory_order_acquire); }
  void wait_until_whole() const;
  /// Header records that there were at open, one for an object.
  std::size_t records() const { return records_; }
  /// Bytes of the pages that they and the bodies took then.
  std::uint64_t stored_bytes() const { return stored_bytes_; }

  /// The object of a key that the index did not know, if it is here. Any thread; reads the files.
  Pin take(const Digest128& hash, std::string_view key);
  /// Before the index is asked to remove the same: what has not had its turn is not shown then.
  /// `matches` is kept until all is read. Any thread.
  void remove(const Digest128& hash);
  void remove_if(std::function<bool(std::string_view)> matches);

  /// The rest is the store thread's.
  std::shared_ptr<Body> make_body(std::uint64_t id, std::uint64_t bytes) const;
  /// An error when the keys of the header records could not be read.
  const Result<void>& listed() const { return listed_; }
  /// Whether there is a newer record of the same hash.
  bool is_replaced(std::uint64_t id) const { return std::ranges::binary_search(replaced_, id); }
  Revived revive(const Digest128& hash, Record record, std::size_t record_bytes,
                 std::vector<std::uint64_t> offsets) const;
  struct Turn {
    std::shared_ptr<Body> body;  // for the books; whoever took the object ahead of it has the same
    bool removed = false;        // and is not shown
  };
  /// In the order of ids.
  Turn turn_of(const Digest128& hash, Revived revived);
  /// Waits for finds that still read the files: nobody does afterwards.
  void finish();

 private:
  void list();
  std::optional<std::uint64_t> waiting_id(const Digest128& hash) const;
  bool is_removed(std::string_view key) const;
  std::optional<Revived> read(const HeaderName& name) const;

  const std::shared_ptr<Volume> volume_;
  const LastStop last_;
  const SteadyTime opened_at_;
  Index& index_;
  Result<void> listed_;
  std::size_t records_ = 0;
  std::uint64_t stored_bytes_ = 0;
  std::vector<std::uint64_t> replaced_;  // ascending
  std::atomic<bool> whole_ = false;
  mutable std::mutex lock_;  // guards what follows; taken before a lock of the index
  mutable std::condition_variable finished_;          // all is read, or no reader is left
  std::size_t readers_ = 0;                           // finds inside the files
  std::vector<HeaderName> waiting_;                   // ascending by hash; 24 bytes an object
  std::uint64_t passed_ = 0;                          // this id and all below had their turn
  std::map<Digest128, std::shared_ptr<Body>> early_;  // taken; null: removed
  std::vector<std::function<bool(std::string_view)>> removals_;
};

}  // namespace relay::edge::cache
