#include "edge/policy/shadow.hpp"

namespace relay::edge::policy {
namespace {

std::uint64_t held_bytes(const Tiers& tiers) {
  return tiers.window_bytes() + tiers.store_bytes();
}

void evict_one(Tiers& tiers) {
  if (auto id = tiers.victim()) {
    tiers.evict(*id);
  } else {
    tiers.erase(*tiers.oldest());
  }
}

/// Lets the window's oldest go until `bytes` more fit its share; returns the bytes written by that.
std::uint64_t drain_window(Tiers& tiers, std::uint64_t window_bytes, std::uint64_t bytes,
                           bool full) {
  std::uint64_t written = 0;
  while (tiers.window_bytes() + bytes > window_bytes) {
    auto oldest = tiers.oldest();
    if (!oldest) break;
    if (tiers.admits(*oldest, full)) {
      if (!tiers.plan().window_is_stored) written += tiers.room_of(*oldest);
      tiers.promote(*oldest);
    } else {
      tiers.erase(*oldest);
    }
  }
  return written;
}

}  // namespace

Tally Shadow::sum() const {
  Tally sum;
  for (const Tally& part : tallies) sum.add(part);
  return sum;
}

void shrink(Tiers& tiers, std::uint64_t capacity_bytes) {
  while (held_bytes(tiers) > capacity_bytes) evict_one(tiers);
}

Outcome request(Tiers& tiers, std::uint64_t capacity_bytes, const Newcomer& newcomer) {
  if (tiers.has(newcomer.id)) {
    tiers.touch(newcomer.id);
    return {true, 0};
  }
  std::uint64_t bytes = newcomer.room();
  if (bytes > capacity_bytes) return {};
  bool full = held_bytes(tiers) + bytes > capacity_bytes;
  auto window_bytes =
      static_cast<std::uint64_t>(tiers.plan().window_share * static_cast<double>(capacity_bytes));
  bool passes = bytes <= window_bytes;
  // Of a window that was larger under another plan too.
  std::uint64_t written = drain_window(tiers, window_bytes, passes ? bytes : 0, full);
  if (!passes) {
    if (!tiers.admits(newcomer, full)) return {false, written};
    shrink(tiers, capacity_bytes - bytes);
    tiers.enter_store(newcomer);
    return {false, written + bytes};
  }
  shrink(tiers, capacity_bytes - bytes);
  tiers.enter_window(newcomer);
  return {false, tiers.plan().window_is_stored ? bytes : written};
}

}  // namespace relay::edge::policy
