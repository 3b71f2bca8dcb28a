// Objects for benches that fill a store of their own, and the CPU time that it takes.
#pragma once

#include <time.h>

#include <algorithm>
#include <string>
#include <utility>

#include "edge/cache/cache.hpp"

namespace relay::bench {

/// A body of `body_bytes` times the same byte, in chunks as a fill would bring them.
inline edge::cache::NewObject filled_object(std::string key, std::size_t head_bytes,
                                            std::size_t body_bytes, char byte) {
  edge::cache::NewObject object{std::move(key), std::string(head_bytes, 'h'), {}, body_bytes, {}};
  DigestStream digest;
  for (std::size_t left = body_bytes; left > 0;) {
    auto chunk = std::make_shared<edge::cache::Chunk>(std::min(left, limits::chunk_bytes));
    chunk->size = chunk->capacity;
    std::fill_n(chunk->data.get(), chunk->size, byte);
    digest.update(chunk->view());
    left -= chunk->size;
    object.chunks.push_back(std::move(chunk));
  }
  object.digest = digest.digest();
  return object;
}

inline double seconds_of(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

}  // namespace relay::bench
