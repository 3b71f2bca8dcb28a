// Which stored object leaves next: GreedyDual with frequency, size and worth. Pure.
//
// An object's priority is L + frequency^a * value * size^-b. The victim is the lowest; L, the
// priority of the last victim, ages everybody else without touching them. a = 1, b = 1 is GDSF,
// a = 1, b = 0 LFU with ageing, a = 0, b = 0 exactly LRU.
//
// The term beside L is rounded down to 16 steps an octave; objects of one step form a queue in the
// order of their last use. L never falls, so each queue's oldest is its lowest, and the victim is
// the lowest of the queues' heads. A use moves a record from one queue's end to another's.
//
// An object of value 0 is over: it leaves before all others, those over for longest first, and a
// use changes nothing about that.
//
// Objects may be of several groups (the store's shelves): they age together, but the victim can be
// asked for of one group alone.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "edge/policy/entries.hpp"
#include "edge/policy/plan.hpp"

namespace relay::edge::policy {

class Order {
 public:
  Order(Entries& entries, unsigned groups, const Plan& plan);

  /// `frequency` at least 1. The entry's value, bytes and group are set.
  void insert(Slot slot, unsigned frequency);
  void touch(Slot slot, unsigned frequency);
  /// After the entry's value was changed. Like a use, as far as age goes.
  void revalue(Slot slot, unsigned frequency);
  void erase(Slot slot);
  /// no_slot: nothing is here.
  Slot victim() const;
  Slot victim(unsigned group) const;
  /// Erases a victim and ages the others.
  void evict(Slot slot);
  /// What is added to L for such an object, in the unit of worth(victim).
  double term(double value, std::uint64_t bytes, unsigned frequency) const;
  /// With a frequency that may have been halved since its last use.
  double worth(Slot slot, unsigned frequency) const;

  /// Other exponents: everybody is placed anew, its age kept in proportion. Costs a sort, so it is
  /// for rare changes. `frequency_of(hash)` as for touch().
  template <class FrequencyOf>
  void replan(const Plan& plan, FrequencyOf&& frequency_of) {
    std::vector<Slot> all = take_all();
    for (Slot slot : all) frequencies_.push_back(frequency_of(entries_[slot].hash));
    place_all(all, plan);
  }

 private:
  static constexpr int steps_an_octave = 16;
  static constexpr int steps = 64 * steps_an_octave;
  struct Group {
    std::array<List, steps> queues;
    std::array<double, steps> lowest;  // the priority of each queue's front
    int begin = steps, end = 0;        // where queues may be filled
  };
  static int step_of(double term);
  static double begin_of(int step);

  double worth(Slot slot) const { return begin_of(entries_[slot].step); }
  double power(unsigned frequency) const { return powers_[frequency < 255 ? frequency : 255]; }
  void set_plan(const Plan& plan);
  float weight_of(const Entry& entry) const;
  void place(Slot slot, unsigned frequency);
  void unlink(Slot slot);
  void note_front(Group& group, int step);
  std::vector<Slot> take_all();
  void place_all(const std::vector<Slot>& all, const Plan& plan);

  Entries& entries_;
  double size_exponent_ = 0;
  std::array<double, 256> powers_;  // of each frequency, by the frequency exponent
  double inflation_ = 0;            // L; a double never loses a step in the life of a process
  std::vector<Group> groups_;
  std::vector<unsigned> frequencies_;  // during replan()
};

}  // namespace relay::edge::policy
