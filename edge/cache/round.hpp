// One round of changes written into LMDB: pages freed first, then headers erased, bodies and
// headers put. Room that is only made in the books is not yet there on a full disk: so nothing is
// put before all that was to leave for it is gone, and the books stay within the size whatever
// fails. The small environment is committed last, so a header never stands without its chunks;
// chunks without a header are orphans, which a restart drops.
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
  std::vector<std::uint64_t> offsets;  // where its chunks were put; the body's after the commit
};

/// A header record to be written again for an object that is here.
struct NewHead {
  HeaderName name;
  std::string record;
};

struct Round {
  std::span<Incoming> incoming;
  std::span<const NewHead> heads;
};

/// Frees what holdings gathered, the first half of a round. Returns how many transactions it took.
/// After an error what was gathered comes again (a body whose chunks are erased already has no
/// offsets left).
Result<unsigned> free_round(Volume& volume, Holdings& holdings, SteadyTime now);

/// Writes the round and erases the headers that holdings doomed. Returns how many transactions it
/// took; bodies know their offsets then. After an error what was doomed comes again, and of
/// `incoming` some may have been written: abandon() them.
Result<unsigned> write_round(Volume& volume, Holdings& holdings, const Round& round);

}  // namespace relay::edge::cache
