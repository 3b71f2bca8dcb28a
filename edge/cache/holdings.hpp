// The store thread's books: which bodies are live, in which order they would leave, how many bytes
// they take, which removed ones still wait, and which header records have yet to be erased. Knows
// the index (to evict from it) but neither LMDB nor the clock. Store thread only.
//
// A body's way: make_room() reserves its bytes; hold() once it can be found, or abandon(); retire()
// when it left the index; then gather() takes it up when its pages are free, and settle() or
// reopen() tell whether the transaction that freed them went through.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "edge/cache/budget.hpp"
#include "edge/cache/graveyard.hpp"
#include "edge/cache/index.hpp"
#include "edge/policy/policy.hpp"

namespace relay::edge::cache {

/// A header record to erase, if it still is that object's.
struct DoomedHeader {
  Digest128 hash;
  std::uint64_t id = 0;
};

class Holdings {
 public:
  Holdings(std::uint64_t size_bytes, Index& index);

  void use(std::uint64_t id);
  /// A key was asked for that is not here.
  void miss(const Digest128& hash);
  /// Evicts until the bytes fit, and reserves them. False: too big, or the rest is held or being
  /// sent.
  bool make_room(ShelfName shelf, std::uint64_t bytes, SteadyTime now);
  void hold(std::shared_ptr<Body> body);
  /// A body found at open: its bytes are taken whether they fit or not.
  void restore(std::shared_ptr<Body> body);
  /// The reserved body did not come to be; chunks and header of it may have been written.
  void abandon(std::shared_ptr<Body> body, SteadyTime now);
  /// Chunks without a header, found at open; they take their bytes until they are gone.
  void bury_orphan(std::shared_ptr<Body> body, SteadyTime now);
  /// The object left the index. Unknown ids are ignored (evicted and removed at once).
  void retire(std::uint64_t id, SteadyTime now);
  /// Evicts 1 % and at least `bytes`, for a disk that is fuller than the budget says.
  void evict_more(std::uint64_t bytes, SteadyTime now);
  /// After a restart with a smaller size, or full of other things.
  void shrink_to_budget(SteadyTime now);

  /// Takes up bodies whose pages are free by now. They wait in freeing().
  void gather(SteadyTime now);
  std::vector<DoomedHeader>& doomed() { return doomed_; }
  bool has_doomed() const { return !doomed_.empty(); }
  const std::vector<std::shared_ptr<Body>>& freeing(ShelfName shelf) const;
  void settle(ShelfName shelf);
  void reopen(ShelfName shelf, SteadyTime now);

  const Budget& budget() const { return budget_; }
  std::uint64_t objects() const { return bodies_.size(); }
  std::uint64_t body_bytes() const { return body_bytes_; }
  std::uint64_t evictions() const { return evictions_; }

 private:
  std::vector<std::shared_ptr<Body>>& freeing_of(ShelfName shelf) {
    return freeing_[static_cast<std::size_t>(shelf)];
  }
  bool evict_one(std::optional<ShelfName> shelf, SteadyTime now);
  void lay_down(std::shared_ptr<Body> body, SteadyTime now);
  void take_up(std::shared_ptr<Body> body);

  Index& index_;
  Budget budget_;
  policy::Sketch sketch_;
  policy::Tiers tiers_;  // a group a shelf
  Graveyard graveyard_;
  std::unordered_map<std::uint64_t, std::shared_ptr<Body>> bodies_;
  std::array<std::vector<std::shared_ptr<Body>>, shelf_count> freeing_;
  std::vector<DoomedHeader> doomed_;
  std::uint64_t body_bytes_ = 0;
  std::uint64_t evictions_ = 0;
};

}  // namespace relay::edge::cache
