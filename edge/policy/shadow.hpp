// A cache without bodies: tiers with a capacity. Replays traces, and in miniature (a sample of the
// keys, a like share of the capacity) tells what another plan or another size would do. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "edge/policy/tally.hpp"
#include "edge/policy/tiers.hpp"

namespace relay::edge::policy {

/// One request to tiers that hold `capacity_bytes`, the window within. What it asks for comes in
/// when it is not here; the sketch has counted this use already.
Outcome request(Tiers& tiers, std::uint64_t capacity_bytes, const Newcomer& newcomer);
/// Keys are their own ids.
inline Outcome request(Tiers& tiers, std::uint64_t capacity_bytes, std::uint64_t hash,
                       std::uint64_t bytes) {
  return request(tiers, capacity_bytes, Newcomer{.id = hash, .hash = hash, .bytes = bytes});
}
/// Evicts until the tiers hold at most `capacity_bytes`.
void shrink(Tiers& tiers, std::uint64_t capacity_bytes);

/// Tiers, and how they did. The tally is kept in parts, each of an eighth of the keys, so that the
/// spread among them tells how far the sum can be trusted.
struct Shadow {
  static constexpr std::size_t parts = 8;

  Shadow(const Sketch& sketch, const Plan& plan, double size)
      : tiers(std::make_unique<Tiers>(sketch, 1, plan)), size(size) {}
  Tally sum() const;

  std::unique_ptr<Tiers> tiers;
  double size;  // relative to the cache that it follows
  std::array<Tally, parts> tallies;
};

}  // namespace relay::edge::policy
