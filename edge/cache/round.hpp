// One round of changes written into LMDB: headers erased, pages freed, bodies and headers put.
// The small environment is committed last, so a header never stands without its chunks; chunks
// without a header are orphans, which a restart drops.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "edge/cache/body.hpp"
#include "edge/cache/cache.hpp"
#include "edge/cache/holdings.hpp"

namespace relay::edge::cache {

/// A body to be put, with its header record.
struct Incoming {
  std::shared_ptr<Body> body;
  const std::vector<ChunkPtr>* chunks = nullptr;
  std::string record;
};

/// A header record to be written again for an object that is here.
struct NewHead {
  ObjectKey key;
  std::string record;
};

struct Round {
  std::span<Incoming> incoming;
  std::span<const NewHead> heads;
};

/// Writes the round, frees what holdings gathered and erases what it doomed. Returns how many
/// transactions it took; bodies know their offsets then. After an error what was
/// gathered or doomed comes again (a body whose chunks are erased already has no offsets left), and
/// of `incoming` some may have been written: abandon() them.
Result<unsigned> write_round(Volume& volume, Holdings& holdings, const Round& round,
                             SteadyTime now);

}  // namespace relay::edge::cache
