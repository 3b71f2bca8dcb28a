// Waiting for what is on its way into the cache.
#pragma once

#include <string>
#include <vector>

#include "common/net/task.hpp"
#include "edge/cache/cache.hpp"

namespace relay::edge {

/// True: a store of one of `keys` was under way and has had its answer, so that another look is
/// worth it. Waits at most limits::store_wait, and not while the disk refuses. `cache` outlives it.
net::Task<bool> store_answered(cache::Cache& cache, std::vector<std::string> keys);

}  // namespace relay::edge
