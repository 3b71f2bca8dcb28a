// Reads what the last process stored: the objects that are whole, and the chunks that belong to
// none. The store thread's first work, while finds take what they need ahead of it (Backlog).
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "edge/cache/backlog.hpp"
#include "edge/cache/body.hpp"

namespace relay::edge::cache {

struct Recovered {
  std::vector<std::shared_ptr<Body>> bodies;   // in the order they were stored
  std::vector<std::uint64_t> removed;          // ids of those that were removed meanwhile
  std::vector<std::shared_ptr<Body>> orphans;  // to be erased, once no socket can hold them
  std::uint64_t next_id = 1;
};

/// Shows every object in the index; to finish the backlog is the caller's. Header records that are
/// damaged, of another version, replaced or without all of their chunks are erased.
Result<Recovered> recover(Volume& volume, Backlog& backlog);

}  // namespace relay::edge::cache
