#include "edge/policy/order.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

namespace relay::edge::policy {
namespace {

constexpr double nothing = std::numeric_limits<double>::infinity();
constexpr int step_of_the_over = 0;
// Sizes count in MiB, so that terms stay near 1 whatever the exponent.
constexpr double usual_bytes = 1 << 20;
// A double's sign, exponent and first four bits of mantissa: 16 steps an octave. This one is 2^-32.
constexpr int first_step = (1023 - 32) * 16;

}  // namespace

Order::Order(Entries& entries, unsigned groups, const Plan& plan)
    : entries_(entries), groups_(groups) {
  for (Group& group : groups_) group.lowest.fill(nothing);
  set_plan(plan);
}

void Order::set_plan(const Plan& plan) {
  size_exponent_ = plan.size_exponent;
  for (std::size_t i = 0; i < powers_.size(); ++i) {
    powers_[i] = std::pow(std::max<double>(1, static_cast<double>(i)), plan.frequency_exponent);
  }
}

int Order::step_of(double term) {
  int step = static_cast<int>(std::bit_cast<std::uint64_t>(term) >> 48) - first_step;
  return std::clamp(step, step_of_the_over + 1, steps - 1);
}

double Order::begin_of(int step) {
  return std::bit_cast<double>(static_cast<std::uint64_t>(step + first_step) << 48);
}

float Order::weight_of(const Entry& entry) const {
  if (size_exponent_ == 0) return entry.value;
  double size = static_cast<double>(std::max<std::uint64_t>(entry.bytes, 1)) / usual_bytes;
  return static_cast<float>(entry.value * std::pow(size, -size_exponent_));
}

double Order::term(double value, std::uint64_t bytes, unsigned frequency) const {
  double size = static_cast<double>(std::max<std::uint64_t>(bytes, 1)) / usual_bytes;
  return power(frequency) * value * std::pow(size, -size_exponent_);
}

double Order::worth(Slot slot, unsigned frequency) const {
  const Entry& entry = entries_[slot];
  if (entry.value == 0) return worth(slot);
  return std::min(worth(slot), begin_of(step_of(power(frequency) * entry.weight)));
}

void Order::note_front(Group& group, int step) {
  Slot front = group.queues[step].front;
  group.lowest[step] = front == no_slot ? nothing : entries_[front].age + begin_of(step);
}

void Order::place(Slot slot, unsigned frequency) {
  Entry& entry = entries_[slot];
  bool is_over = entry.value == 0;
  if (is_over) entry.age = -nothing;
  int step = is_over ? step_of_the_over : step_of(power(frequency) * entry.weight);
  entry.step = static_cast<std::int16_t>(step);
  Group& group = groups_[entry.group];
  List& queue = group.queues[entry.step];
  bool first = queue.front == no_slot;
  queue.push_back(entries_, slot);
  group.begin = std::min<int>(group.begin, entry.step);
  group.end = std::max<int>(group.end, entry.step + 1);
  if (first) note_front(group, entry.step);
}

void Order::unlink(Slot slot) {
  const Entry& entry = entries_[slot];
  Group& group = groups_[entry.group];
  List& queue = group.queues[entry.step];
  bool first = queue.front == slot;
  queue.unlink(entries_, slot);
  if (first) note_front(group, entry.step);
}

void Order::insert(Slot slot, unsigned frequency) {
  Entry& entry = entries_[slot];
  entry.weight = weight_of(entry);
  entry.age = inflation_;
  place(slot, frequency);
}

void Order::touch(Slot slot, unsigned frequency) {
  unlink(slot);
  entries_[slot].age = inflation_;
  place(slot, frequency);
}

/// Among those of its new step it counts as used now: their queue stays in the order of age.
void Order::revalue(Slot slot, unsigned frequency) {
  unlink(slot);
  entries_[slot].weight = weight_of(entries_[slot]);
  entries_[slot].age = inflation_;
  place(slot, frequency);
}

void Order::erase(Slot slot) {
  unlink(slot);
}

Slot Order::victim(unsigned number) const {
  const Group& group = groups_[number];
  auto begin = group.lowest.begin() + group.begin, end = group.lowest.begin() + group.end;
  if (begin >= end) return no_slot;
  return group.queues[std::min_element(begin, end) - group.lowest.begin()].front;
}

Slot Order::victim() const {
  Slot lowest = no_slot;
  double priority = nothing;
  for (unsigned number = 0; number < groups_.size(); ++number) {
    Slot slot = victim(number);
    if (slot == no_slot) continue;
    double mine = entries_[slot].age + worth(slot);
    if (mine < priority) lowest = slot, priority = mine;
  }
  return lowest;
}

void Order::evict(Slot slot) {
  inflation_ = std::max(inflation_, entries_[slot].age + worth(slot));
  unlink(slot);
}

/// In the order of age; equals as they stood in their queues.
std::vector<Slot> Order::take_all() {
  std::vector<std::pair<double, std::size_t>> ages;
  std::vector<Slot> all;
  for (Group& group : groups_) {
    for (int step = group.begin; step < group.end; ++step) {
      for (Slot at = group.queues[step].front; at != no_slot; at = entries_[at].next) {
        ages.emplace_back(entries_[at].age, all.size());
        all.push_back(at);
      }
    }
    group = Group{};
    group.lowest.fill(nothing);
  }
  std::ranges::sort(ages);
  std::vector<Slot> sorted;
  for (const auto& [age, number] : ages) sorted.push_back(all[number]);
  return sorted;
}

void Order::place_all(const std::vector<Slot>& all, const Plan& plan) {
  set_plan(plan);
  double before = 0, after = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    Entry& entry = entries_[all[i]];
    if (entry.value == 0) continue;
    before += begin_of(entry.step);
    entry.weight = weight_of(entry);
    after += power(frequencies_[i]) * entry.weight;
  }
  double stretch = before > 0 ? after / before : 1;
  for (std::size_t i = 0; i < all.size(); ++i) {
    Entry& entry = entries_[all[i]];
    entry.age = inflation_ - (inflation_ - entry.age) * stretch;
    place(all[i], frequencies_[i]);
  }
  frequencies_.clear();
}

}  // namespace relay::edge::policy
