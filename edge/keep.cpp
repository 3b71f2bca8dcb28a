#include "edge/keep.hpp"

#include <algorithm>
#include <cstring>

namespace relay::edge {
namespace {

std::vector<cache::ChunkPtr> chunks_of(std::string_view body) {
  std::vector<cache::ChunkPtr> chunks;
  while (!body.empty()) {
    std::size_t size = std::min<std::size_t>(body.size(), limits::chunk_bytes);
    chunks.push_back(std::make_shared<cache::Chunk>(size));
    std::memcpy(chunks.back()->data.get(), body.data(), size);
    chunks.back()->size = size;
    body.remove_prefix(size);
  }
  return chunks;
}

}  // namespace

void Keep::add(std::string_view bytes) {
  if (too_long_ || bytes.size() > kept_body_bytes_max - body_.size()) {
    too_long_ = true;
    body_ = {};
    return;
  }
  body_ += bytes;
}

std::optional<cache::NewObject> Keep::take() && {
  if (too_long_) return std::nullopt;
  return cache::NewObject{std::move(key_), encode(stored_),  chunks_of(body_),
                          body_.size(),    digest128(body_), 1.0};
}

}  // namespace relay::edge
