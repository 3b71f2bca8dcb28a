// What is here, as one table of records and a map from ids to them; lists go through the records,
// so that a use allocates nothing. Pure; not thread-safe.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <vector>

namespace relay::edge::policy {

using Id = std::uint64_t;
using Slot = std::uint32_t;
inline constexpr Slot no_slot = ~Slot{0};

struct Entry {
  Id id = 0;
  std::uint64_t hash = 0;   // of the key, for the sketch
  std::uint64_t bytes = 0;  // of the object
  std::uint64_t room = 0;   // what it takes of the capacity: all of them, or a sample's share
  double age = 0;           // the order's inflation at the last use
  float value = 1;          // what a miss costs, relative
  float weight = 1;         // value * size^-b
  std::int16_t step = 0;    // which queue of the order
  std::uint8_t group = 0;
  bool in_window = false;
  Slot previous = no_slot, next = no_slot;
};

class Entries {
 public:
  Entry& operator[](Slot slot) { return table_[slot]; }
  const Entry& operator[](Slot slot) const { return table_[slot]; }
  /// no_slot: not here.
  Slot find(Id id) const {
    auto known = slots_.find(id);
    return known == slots_.end() ? no_slot : known->second;
  }
  /// The id must be new.
  Slot add(const Entry& entry);
  void remove(Slot slot);
  std::size_t size() const { return slots_.size(); }
  template <class See>
  void visit(See&& see) const {
    for (const auto& [id, slot] : slots_) see(slot);
  }

 private:
  std::vector<Entry> table_;
  std::vector<Slot> unused_;
  boost::unordered_flat_map<Id, Slot> slots_;
};

/// The oldest in front. Its records belong to one Entries.
struct List {
  Slot front = no_slot, back = no_slot;
  void push_back(Entries& entries, Slot slot);
  void unlink(Entries& entries, Slot slot);
};

}  // namespace relay::edge::policy
