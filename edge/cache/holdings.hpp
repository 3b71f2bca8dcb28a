// The store thread's books: which bodies are live, in which order they would leave, how many bytes
// they take, which removed ones still wait, and which header records have yet to be erased. Knows
// the index (to evict from it) but neither LMDB nor the clock. Store thread only.
//
// A newcomer's way without memory for a window: takes(), make_room(), hold(). It stands in the
// policy's window all the same, from where hold() lets the oldest go on, or go.
// With memory: enter_window(); window_excess() until it is null, each judged by takes() and then
// retired, and held again when it came into the store.
//
// A body's way in the store: make_room() reserves its bytes; hold() once it can be found, or
// abandon(); retire() when it left the index; then gather() takes it up when its pages are free,
// and settle() or reopen() tell whether the transaction that freed them went through.
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

class Holdings {
 public:
  Holdings(const CacheOptions& options, Index& index);

  /// `weight`: of how many uses it is the one that was reported.
  void use(std::uint64_t id, double weight);
  void revalue(std::uint64_t id, double value);
  /// A key was asked for that is not here, and has such a body.
  void miss(const Digest128& hash, std::uint64_t bytes, std::uint64_t charge_bytes);

  /// Whether a body with this charge may pass through the memory; else takes() judges. Then, when
  /// window_excess() was heeded, whether its memory is there: what has left the window and is being
  /// written or still read takes memory too.
  bool may_enter_window(std::uint64_t charge_bytes) const {
    return !window_is_stored() && charge_bytes <= policy_.window_bytes();
  }
  bool has_memory(std::uint64_t bytes) const {
    return memory_.used() + bytes <= memory_.bytes_max();
  }
  WindowMemory& memory() { return memory_; }
  /// `body` is in memory.
  void enter_window(std::shared_ptr<Body> body);
  /// The window's oldest while it has no room for one more of such a charge and memory; null: it
  /// has.
  std::shared_ptr<Body> window_excess(std::uint64_t charge_bytes, std::uint64_t memory_bytes) const;
  /// The oldest of those in memory, if there is any.
  std::shared_ptr<Body> window_oldest() const;
  /// Whether it is to be written.
  bool takes(const Body& body) const;
  /// Evicts until the bytes fit, and reserves them. False: too big, or the rest is held or being
  /// sent.
  bool make_room(ShelfName shelf, std::uint64_t bytes, SteadyTime now);
  /// It is written.
  void hold(std::shared_ptr<Body> body, SteadyTime now);
  /// Makes room for so many bodies.
  void reserve(std::size_t bodies) { bodies_.reserve(bodies); }
  /// A body found at open: its bytes are taken whether they fit or not.
  void restore(std::shared_ptr<Body> body);
  /// The reserved body did not come to be, and nothing of it was written.
  void give_back(const Body& body) { budget_.give_back(body.shelf(), body.charge_bytes); }
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

  /// Begins a round: takes up bodies whose pages are free by now. They wait in freeing().
  void gather(SteadyTime now);
  /// Header records to be erased, in this order.
  std::vector<HeaderName>& doomed() { return doomed_; }
  bool has_doomed() const { return !doomed_.empty(); }
  const std::vector<std::shared_ptr<Body>>& freeing(ShelfName shelf) const;
  void settle(ShelfName shelf);
  void reopen(ShelfName shelf, SteadyTime now);

  const policy::Tuner& tuner() const { return policy_.tuner(); }
  const Budget& budget() const { return budget_; }
  std::uint64_t objects() const { return bodies_.size(); }
  std::uint64_t body_bytes() const { return body_bytes_; }
  std::uint64_t evictions() const { return evictions_; }

 private:
  std::vector<std::shared_ptr<Body>>& freeing_of(ShelfName shelf) {
    return freeing_[static_cast<std::size_t>(shelf)];
  }
  bool window_is_stored() const { return memory_.bytes_max() == 0; }
  bool passes_stored_window(const Body& body) const;
  bool leave_stored_window(SteadyTime now);
  bool admits(const Body& body) const;
  void keep(std::shared_ptr<Body> body);
  bool evict_one(std::optional<ShelfName> shelf, SteadyTime now);
  void evict(std::uint64_t id, SteadyTime now);
  void lay_down(std::shared_ptr<Body> body, SteadyTime now);
  void take_up(std::shared_ptr<Body> body);

  Index& index_;
  Budget budget_;
  WindowMemory memory_;
  policy::Policy policy_;  // a group a shelf
  Graveyard graveyard_;
  std::unordered_map<std::uint64_t, std::shared_ptr<Body>> bodies_;
  std::array<std::vector<std::shared_ptr<Body>>, shelf_count> freeing_;
  std::vector<HeaderName> doomed_;
  std::uint64_t body_bytes_ = 0;
  std::uint64_t window_memory_bytes_ = 0;  // of what is in the window
  std::uint64_t lingering_bytes_ = 0;      // of what left it and was still read as the round began
  std::uint64_t evictions_ = 0;
};

}  // namespace relay::edge::cache
