// Bodies for tests of the cache: made from a seed, so that the right bytes need not be kept.
#pragma once

#include <future>
#include <string>

#include "edge/cache/cache.hpp"

namespace relay::tests {

inline std::string body_of(std::size_t size, std::uint64_t seed) {
  std::string body(size, '\0');
  std::uint64_t state = seed * 0x9e3779b97f4a7c15 + 1;
  for (char& byte : body) {
    state = state * 6364136223846793005 + 1442695040888963407;
    byte = static_cast<char>(state >> 56);
  }
  return body;
}

inline edge::cache::NewObject new_object(std::string key, const std::string& body,
                                         std::string head = "head") {
  edge::cache::NewObject object{std::move(key), std::move(head), {}, body.size(), digest128(body)};
  for (std::size_t at = 0; at < body.size(); at += limits::chunk_bytes) {
    auto chunk = std::make_shared<edge::cache::Chunk>(limits::chunk_bytes);
    chunk->size = body.copy(chunk->data.get(), limits::chunk_bytes, at);
    object.chunks.push_back(std::move(chunk));
  }
  return object;
}

/// Stores and waits for the answer.
inline bool store_now(edge::cache::Cache& cache, edge::cache::NewObject object) {
  std::promise<bool> answer;
  cache.store(std::move(object), [&](bool stored) { answer.set_value(stored); });
  return answer.get_future().get();
}

inline std::string bytes_of(const edge::cache::Object& object) {
  std::string bytes;
  while (bytes.size() < object.body_bytes()) {
    edge::cache::Piece piece = object.piece(bytes.size());
    bytes.append(piece.address, piece.size);
  }
  return bytes;
}

}  // namespace relay::tests
