// The edge's policy, driven by the same request() that drives its shadows.
#include "bench/replay/contender.hpp"
#include "edge/cache/window_memory.hpp"

namespace relay::bench {
namespace {

/// What of the memory the edge lets the window have.
std::uint64_t window_bytes(const Setup& setup) {
  std::uint64_t memory = setup.memory_share
                             ? static_cast<std::uint64_t>(*setup.memory_share *
                                                          static_cast<double>(setup.capacity_bytes))
                             : edge::policy::usual_memory_bytes(setup.goal, setup.capacity_bytes);
  return memory - edge::cache::window_reserve_bytes(memory);
}

}  // namespace

Ours::Ours(const Setup& setup)
    : capacity_bytes_(setup.capacity_bytes),
      policy_({.goal = setup.goal,
               .capacity_bytes = setup.capacity_bytes,
               .window_bytes_max = window_bytes(setup),
               .groups = 1}) {
}

Outcome Ours::request(const Request& request) {
  policy_.note({.hash = request.hash,
                .bytes = request.bytes,
                .charge_bytes = request.bytes,
                .hit = policy_.tiers().has(request.hash)});
  return edge::policy::request(policy_.tiers(), capacity_bytes_, request.hash, request.bytes);
}

}  // namespace relay::bench
