#include "edge/cache/holdings.hpp"

#include <algorithm>

namespace relay::edge::cache {
namespace {

// What a segment is worth. What lasts (playlists, init segments, keys) is worth more.
constexpr double usual_value = 1;
// Of bodies that one newcomer drives out of a window that is too large, as after a change of plan:
// more of them, and one round would have to erase a good part of the store.
constexpr int leaving_most = 4;

policy::Newcomer newcomer(const Body& body) {
  return {.id = body.id,
          .hash = body.hash.low,
          .bytes = body.charge_bytes,
          .value = body.value,
          .group = static_cast<unsigned>(body.shelf())};
}

}  // namespace

Holdings::Holdings(const CacheOptions& options, Index& index)
    : index_(index),
      budget_(options.size_bytes),
      memory_(options.memory_bytes),
      policy_(
          {.goal = options.goal,
           .capacity_bytes = options.size_bytes,
           .window_bytes_max = options.memory_bytes - window_reserve_bytes(options.memory_bytes),
           .groups = shelf_count}) {
}

void Holdings::use(std::uint64_t id, double weight) {
  auto known = bodies_.find(id);
  if (known == bodies_.end()) return;
  const Body& body = *known->second;
  policy_.note({body.hash.low, body.bytes, body.charge_bytes, true, weight});
  policy_.tiers().touch(id);
}

void Holdings::revalue(std::uint64_t id, double value) {
  auto known = bodies_.find(id);
  if (known == bodies_.end()) return;
  known->second->value = value;
  policy_.tiers().revalue(id, value);
  bool in_order = value == 0 || value > usual_value;
  if (window_is_stored() && in_order && policy_.tiers().in_window(id)) policy_.tiers().promote(id);
}

void Holdings::miss(const Digest128& hash, std::uint64_t bytes, std::uint64_t charge_bytes) {
  policy_.note({hash.low, bytes, charge_bytes, false});
}

void Holdings::enter_window(std::shared_ptr<Body> body) {
  policy_.tiers().enter_window(newcomer(*body));
  window_memory_bytes_ += body->memory.bytes();
  keep(std::move(body));
}

void Holdings::keep(std::shared_ptr<Body> body) {
  body_bytes_ += body->bytes;
  bodies_.emplace(body->id, std::move(body));
}

std::shared_ptr<Body> Holdings::window_oldest() const {
  if (window_is_stored()) return nullptr;
  auto id = policy_.tiers().oldest();
  return id ? bodies_.at(*id) : nullptr;
}

std::shared_ptr<Body> Holdings::window_excess(std::uint64_t charge_bytes,
                                              std::uint64_t memory_bytes) const {
  std::uint64_t reserve = window_reserve_bytes(memory_.bytes_max());
  bool keeps =
      policy_.tiers().window_bytes() + charge_bytes <= policy_.window_bytes() &&
      window_memory_bytes_ + lingering_bytes_ + memory_bytes <= memory_.bytes_max() - reserve;
  return keeps ? nullptr : window_oldest();
}

bool Holdings::admits(const Body& body) const {
  bool full = !budget_.fits(body.shelf(), body.charge_bytes);
  return policy_.tiers().admits(newcomer(body), full);
}

/// What is over has no place in it, what lasts needs none: both have theirs in the order.
bool Holdings::passes_stored_window(const Body& body) const {
  return window_is_stored() && body.charge_bytes <= policy_.window_bytes() && body.value > 0 &&
         body.value <= usual_value;
}

bool Holdings::takes(const Body& body) const {
  bool lasts = window_is_stored() && body.value > usual_value;
  return lasts || passes_stored_window(body) || admits(body);
}

bool Holdings::make_room(ShelfName shelf, std::uint64_t bytes, SteadyTime now) {
  if (bytes > budget_.object_bytes_max(shelf)) return false;
  while (!budget_.fits(shelf, bytes)) {
    if (budget_.graveyard_full()) return false;
    if (!evict_one(budget_.victim_shelf(shelf, bytes), now)) return false;
  }
  budget_.store(shelf, bytes);
  return true;
}

void Holdings::hold(std::shared_ptr<Body> body, SteadyTime now) {
  bool passes = passes_stored_window(*body);
  passes ? policy_.tiers().enter_window(newcomer(*body))
         : policy_.tiers().enter_store(newcomer(*body));
  keep(std::move(body));
  if (!window_is_stored()) return;
  for (int i = 0; i < leaving_most && policy_.tiers().window_bytes() > policy_.window_bytes(); ++i)
    leave_stored_window(now);
}

/// Its oldest stays, or makes room. False: nothing is in it, or what has left already would have to
/// be erased first.
bool Holdings::leave_stored_window(SteadyTime now) {
  auto id = policy_.tiers().oldest();
  if (!id || budget_.graveyard_full()) return false;
  admits(*bodies_.at(*id)) ? policy_.tiers().promote(*id) : evict(*id, now);
  return true;
}

void Holdings::restore(std::shared_ptr<Body> body) {
  policy_.prime({body->hash.low, body->bytes, body->charge_bytes});
  budget_.store(body->shelf(), body->charge_bytes);
  policy_.tiers().enter_store(newcomer(*body));
  keep(std::move(body));
}

void Holdings::abandon(std::shared_ptr<Body> body, SteadyTime now) {
  doomed_.push_back({body->id, body->hash});
  budget_.bury(body->shelf(), body->charge_bytes);
  lay_down(std::move(body), now);
}

void Holdings::bury_orphan(std::shared_ptr<Body> body, SteadyTime now) {
  budget_.store(body->shelf(), body->charge_bytes);
  budget_.bury(body->shelf(), body->charge_bytes);
  lay_down(std::move(body), now);
}

void Holdings::retire(std::uint64_t id, SteadyTime now) {
  auto known = bodies_.find(id);
  if (known == bodies_.end()) return;
  std::shared_ptr<Body> body = std::move(known->second);
  bodies_.erase(known);
  policy_.tiers().erase(id);
  body_bytes_ -= body->bytes;
  if (body->in_memory) {
    window_memory_bytes_ -= body->memory.bytes();
    return;
  }
  abandon(std::move(body), now);
}

bool Holdings::evict_one(std::optional<ShelfName> shelf, SteadyTime now) {
  auto id =
      shelf ? policy_.tiers().victim(static_cast<unsigned>(*shelf)) : policy_.tiers().victim();
  // Until there is one, each step shortens the window.
  if (!id) return window_is_stored() && leave_stored_window(now);
  policy_.tiers().evict(*id);
  evict(*id, now);
  return true;
}

void Holdings::evict(std::uint64_t id, SteadyTime now) {
  index_.remove(bodies_.at(id)->hash, id);
  ++evictions_;
  retire(id, now);
}

void Holdings::evict_more(std::uint64_t bytes, SteadyTime now) {
  std::uint64_t goal = std::max(bytes, budget_.size() / 100);
  std::uint64_t before = budget_.live();
  while (budget_.live() + goal > before) {
    if (budget_.graveyard_full() || !evict_one(std::nullopt, now)) return;
  }
}

void Holdings::shrink_to_budget(SteadyTime now) {
  for (ShelfName shelf : all_shelves) {
    while (!budget_.fits(shelf, 0) && !budget_.graveyard_full()) {
      if (!evict_one(budget_.victim_shelf(shelf, 0), now)) break;
    }
  }
}

void Holdings::lay_down(std::shared_ptr<Body> body, SteadyTime now) {
  if (Graveyard::is_free(body, now)) {
    take_up(std::move(body));
  } else {
    graveyard_.bury(std::move(body), now);
  }
}

void Holdings::take_up(std::shared_ptr<Body> body) {
  budget_.free(body->shelf(), body->charge_bytes);
  freeing_of(body->shelf()).push_back(std::move(body));
}

void Holdings::gather(SteadyTime now) {
  lingering_bytes_ = memory_.used() - std::min(memory_.used(), window_memory_bytes_);
  for (auto& body : graveyard_.release(now)) take_up(std::move(body));
}

const std::vector<std::shared_ptr<Body>>& Holdings::freeing(ShelfName shelf) const {
  return freeing_[static_cast<std::size_t>(shelf)];
}

void Holdings::settle(ShelfName shelf) {
  freeing_of(shelf).clear();
}

void Holdings::reopen(ShelfName shelf, SteadyTime now) {
  for (auto& body : std::exchange(freeing_of(shelf), {})) {
    budget_.unfree(shelf, body->charge_bytes);
    graveyard_.bury(std::move(body), now);
  }
}

}  // namespace relay::edge::cache
