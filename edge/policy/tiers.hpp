// Which objects are in the window, which in the store, and what happens at the passage between
// them. Pure; not thread-safe. Knows no capacity: its owner (the cache's books, or a shadow) says
// when something has to move.
//
// A newcomer enters the window, a list in order of last use; where its bodies lie (Plan) is its
// owner's affair. What the window has no room for is admitted to the store's order, which is
// GreedyDual, or dropped.
#pragma once

#include <cstdint>
#include <optional>

#include "edge/policy/order.hpp"
#include "edge/policy/plan.hpp"
#include "edge/policy/sketch.hpp"

namespace relay::edge::policy {

struct Newcomer {
  Id id = 0;
  std::uint64_t hash = 0;
  std::uint64_t bytes = 0;  // what it takes in the store
  double value = 1;         // what a miss costs, relative; 0: it is over, nobody will want it
  unsigned group = 0;
  double share = 1;  // of the bytes that count against the capacity, see Tuner
  std::uint64_t room() const {
    return share == 1 ? bytes : static_cast<std::uint64_t>(share * static_cast<double>(bytes));
  }
};

class Tiers {
 public:
  /// The sketch outlives this; its owner counts each use before it is told here.
  Tiers(const Sketch& sketch, unsigned groups, const Plan& plan);
  Tiers(const Tiers&) = delete;

  /// The id must be new.
  void enter_window(const Newcomer& newcomer);
  void enter_store(const Newcomer& newcomer);
  /// A use. Unknown ids are ignored: the report may be older than an eviction.
  void touch(Id id);
  /// From now on a miss of it costs so much. Unknown ids are ignored.
  void revalue(Id id, double value);
  void erase(Id id);
  bool has(Id id) const { return entries_.find(id) != no_slot; }
  bool in_window(Id id) const;

  /// The window's oldest.
  std::optional<Id> oldest() const;
  /// Whether it may go on into the store. `full`: something would have to leave for it.
  bool admits(const Newcomer& newcomer, bool full) const;
  bool admits(Id id, bool full) const;
  /// From the window into the store.
  void promote(Id id);

  /// The store's next to leave; of one group alone.
  std::optional<Id> victim() const;
  std::optional<Id> victim(unsigned group) const;
  /// Takes out a victim and ages the others.
  void evict(Id id);

  const Plan& plan() const { return plan_; }
  void replan(const Plan& plan);

  std::uint64_t window_bytes() const { return window_bytes_; }
  std::uint64_t store_bytes() const { return store_bytes_; }
  std::size_t size() const { return entries_.size(); }
  std::uint64_t room_of(Id id) const { return entries_[entries_.find(id)].room; }
  /// Everything takes another share of its bytes, `share_of(hash, bytes)`; at 0 it is erased.
  template <class ShareOf>
  void resample(ShareOf&& share_of) {
    std::vector<Id> gone;
    entries_.visit([&](Slot slot) {
      Entry& entry = entries_[slot];
      double share = share_of(entry.hash, entry.bytes);
      if (share == 0) return gone.push_back(entry.id);
      std::uint64_t& held = entry.in_window ? window_bytes_ : store_bytes_;
      held -= entry.room;
      held += entry.room = Newcomer{.bytes = entry.bytes, .share = share}.room();
    });
    for (Id id : gone) erase(id);
  }

 private:
  Slot add(const Newcomer& newcomer, bool in_window);
  unsigned frequency(std::uint64_t hash) const;
  bool admits(double value, std::uint64_t bytes, std::uint64_t hash, bool full) const;
  bool stays_for_the_over() const;
  std::optional<Id> id_of(Slot slot) const;

  const Sketch& sketch_;
  Plan plan_;
  Entries entries_;
  List window_;
  Order order_;
  std::uint64_t window_bytes_ = 0, store_bytes_ = 0;
};

}  // namespace relay::edge::policy
