// What "better than every fixed policy" means, as a bar for each goal. Pure.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "edge/policy/plan.hpp"
#include "edge/policy/tally.hpp"

namespace relay::bench {

using Rival = std::pair<std::string_view, edge::policy::Tally>;

struct Bar {
  bool holds = false;
  std::string text;  // the figures that it compares
};

/// objects, bytes: misses no more than the best of the rivals', and a little. writes: at most a
/// share of what LRU writes, and misses no more objects. `size`: of the working set, which decides
/// that share. `rivals`: LRU first, without a bound that knows the future.
Bar judge(edge::policy::Goal goal, double size, const edge::policy::Tally& ours,
          const std::vector<Rival>& rivals);

}  // namespace relay::bench
