// What the files of the last process hold: the objects that are whole, and the chunks that belong
// to none. Runs at open, before any other thread knows the volume.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "edge/cache/body.hpp"
#include "edge/cache/cache.hpp"
#include "edge/cache/stop_marker.hpp"

namespace relay::edge::cache {

struct RecoveredObject {
  Pin object;
  std::shared_ptr<Body> body;
};

struct Recovered {
  std::vector<RecoveredObject> objects;        // in the order they were stored
  std::vector<std::shared_ptr<Body>> orphans;  // to be erased, once no socket can hold them
  std::uint64_t next_id = 1;
};

/// Header records that are damaged, of another version or without all of their chunks are erased.
/// Sockets of the last process may still be sending, so every body counts as sent at `now`.
Result<Recovered> recover(const std::shared_ptr<Volume>& volume, const LastStop& last,
                          SteadyTime now);

}  // namespace relay::edge::cache
