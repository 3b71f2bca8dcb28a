// What is left of a large body when another version took its place.
#pragma once

#include <string>

#include "common/net/task.hpp"
#include "edge/cache/cache.hpp"
#include "edge/lookup.hpp"

namespace relay::edge {

/// The slices of that version leave the cache, in steps that let others go on. To be spawned.
net::Task<void> drop_slices(cache::Cache& cache, std::string key, StoredPtr stored,
                            std::uint64_t slice_bytes);

}  // namespace relay::edge
