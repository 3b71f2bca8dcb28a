// The edge's policy, driven by the same request() that drives its shadows.
#include "bench/replay/contender.hpp"

namespace relay::bench {

Ours::Ours(std::uint64_t capacity_bytes, edge::policy::Goal goal)
    : capacity_bytes_(capacity_bytes),
      policy_({.goal = goal,
               .capacity_bytes = capacity_bytes,
               .window_bytes_max = capacity_bytes / 2,
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
