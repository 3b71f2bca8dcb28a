#include "edge/policy/entries.hpp"

#include "common/base/check.hpp"

namespace relay::edge::policy {

Slot Entries::add(const Entry& entry) {
  Slot slot = no_slot;
  if (unused_.empty()) {
    slot = static_cast<Slot>(table_.size());
    table_.push_back(entry);
  } else {
    slot = unused_.back();
    unused_.pop_back();
    table_[slot] = entry;
  }
  RELAY_CHECK(slots_.emplace(entry.id, slot).second);
  return slot;
}

void Entries::remove(Slot slot) {
  slots_.erase(table_[slot].id);
  unused_.push_back(slot);
}

void List::push_back(Entries& entries, Slot slot) {
  entries[slot].previous = back;
  entries[slot].next = no_slot;
  (back == no_slot ? front : entries[back].next) = slot;
  back = slot;
}

void List::unlink(Entries& entries, Slot slot) {
  Slot previous = entries[slot].previous, next = entries[slot].next;
  (previous == no_slot ? front : entries[previous].next) = next;
  (next == no_slot ? back : entries[next].previous) = previous;
}

}  // namespace relay::edge::policy
