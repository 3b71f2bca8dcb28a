#include "edge/policy/tiers.hpp"

#include <algorithm>
#include <cmath>

#include "common/base/check.hpp"

namespace relay::edge::policy {
namespace {

float sane(double value) {
  if (value == 0) return 0;
  return std::isfinite(value) ? static_cast<float>(std::clamp(value, 1e-6, 1e6)) : 1.0f;
}

}  // namespace

Tiers::Tiers(const Sketch& sketch, unsigned groups, const Plan& plan)
    : sketch_(sketch), plan_(plan), order_(entries_, groups, plan) {
}

unsigned Tiers::frequency(std::uint64_t hash) const {
  return std::max(1u, sketch_.count(hash, plan_.memory));
}

Slot Tiers::add(const Newcomer& newcomer, bool in_window) {
  Entry entry;
  entry.id = newcomer.id;
  entry.hash = newcomer.hash;
  entry.bytes = newcomer.bytes;
  entry.room = newcomer.room();
  entry.value = sane(newcomer.value);
  entry.group = static_cast<std::uint8_t>(newcomer.group);
  entry.in_window = in_window;
  (in_window ? window_bytes_ : store_bytes_) += entry.room;
  return entries_.add(entry);
}

void Tiers::enter_window(const Newcomer& newcomer) {
  window_.push_back(entries_, add(newcomer, true));
}

void Tiers::enter_store(const Newcomer& newcomer) {
  order_.insert(add(newcomer, false), frequency(newcomer.hash));
}

void Tiers::touch(Id id) {
  Slot slot = entries_.find(id);
  if (slot == no_slot) return;
  if (entries_[slot].in_window) {
    window_.unlink(entries_, slot);
    window_.push_back(entries_, slot);
  } else {
    order_.touch(slot, frequency(entries_[slot].hash));
  }
}

void Tiers::revalue(Id id, double value) {
  Slot slot = entries_.find(id);
  if (slot == no_slot) return;
  entries_[slot].value = sane(value);
  if (!entries_[slot].in_window) order_.revalue(slot, frequency(entries_[slot].hash));
}

void Tiers::erase(Id id) {
  Slot slot = entries_.find(id);
  if (slot == no_slot) return;
  const Entry& entry = entries_[slot];
  (entry.in_window ? window_bytes_ : store_bytes_) -= entry.room;
  if (entry.in_window) {
    window_.unlink(entries_, slot);
  } else {
    order_.erase(slot);
  }
  entries_.remove(slot);
}

std::optional<Id> Tiers::id_of(Slot slot) const {
  if (slot == no_slot) return std::nullopt;
  return entries_[slot].id;
}

bool Tiers::in_window(Id id) const {
  Slot slot = entries_.find(id);
  return slot != no_slot && entries_[slot].in_window;
}

std::optional<Id> Tiers::oldest() const {
  return id_of(window_.front);
}

bool Tiers::admits(double value, std::uint64_t bytes, std::uint64_t hash, bool full) const {
  if (!full && plan_.fills_freely) return true;
  if (full && value == 0) return false;
  unsigned uses = frequency(hash);
  if (uses < plan_.admission_uses) return full && stays_for_the_over();
  if (!full || plan_.admission_worth == 0) return true;
  Slot lowest = order_.victim();
  if (lowest == no_slot) return true;
  double worth = order_.worth(lowest, frequency(entries_[lowest].hash));
  return order_.term(value, bytes, uses) >= worth * plan_.admission_worth;
}

/// What is in the store already stays when the next to leave is over.
bool Tiers::stays_for_the_over() const {
  if (!plan_.window_is_stored) return false;
  Slot lowest = order_.victim();
  return lowest != no_slot && entries_[lowest].value == 0;
}

bool Tiers::admits(const Newcomer& newcomer, bool full) const {
  return admits(sane(newcomer.value), newcomer.bytes, newcomer.hash, full);
}

bool Tiers::admits(Id id, bool full) const {
  const Entry& entry = entries_[entries_.find(id)];
  return admits(entry.value, entry.bytes, entry.hash, full);
}

void Tiers::promote(Id id) {
  Slot slot = entries_.find(id);
  RELAY_CHECK(slot != no_slot && entries_[slot].in_window);
  window_.unlink(entries_, slot);
  entries_[slot].in_window = false;
  window_bytes_ -= entries_[slot].room;
  store_bytes_ += entries_[slot].room;
  order_.insert(slot, frequency(entries_[slot].hash));
}

std::optional<Id> Tiers::victim() const {
  return id_of(order_.victim());
}

std::optional<Id> Tiers::victim(unsigned group) const {
  return id_of(order_.victim(group));
}

void Tiers::evict(Id id) {
  Slot slot = entries_.find(id);
  RELAY_CHECK(slot != no_slot && !entries_[slot].in_window);
  store_bytes_ -= entries_[slot].room;
  order_.evict(slot);
  entries_.remove(slot);
}

void Tiers::replan(const Plan& plan) {
  bool same_order = plan.size_exponent == plan_.size_exponent &&
                    plan.frequency_exponent == plan_.frequency_exponent &&
                    plan.memory == plan_.memory;
  plan_ = plan;
  if (!same_order) order_.replan(plan, [&](std::uint64_t hash) { return frequency(hash); });
}

}  // namespace relay::edge::policy
