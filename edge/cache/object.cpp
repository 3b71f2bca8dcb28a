#include <algorithm>

#include "common/base/check.hpp"
#include "common/store/mapped_read.hpp"
#include "edge/cache/body.hpp"
#include "edge/cache/cache.hpp"

namespace relay::edge::cache {

Object::Object(std::string key, std::string head, std::shared_ptr<const Body> body)
    : key_(std::move(key)),
      head_(std::move(head)),
      id_(body->id),
      body_bytes_(body->bytes),
      digest_(body->digest),
      body_(std::move(body)) {
}

Object::~Object() = default;

Piece Object::piece(std::uint64_t offset) const {
  RELAY_CHECK(offset < body_bytes_);
  if (body_->in_memory) {
    const Chunk& chunk = *body_->chunks[offset / limits::chunk_bytes];
    std::size_t within = offset % limits::chunk_bytes;
    return {chunk.data.get() + within, -1, 0, chunk.size - within};
  }
  std::size_t full = full_chunk_bytes(body_bytes_);
  std::size_t number = offset / full;
  std::size_t within = offset % full;
  const Shelf& shelf = body_->shelf_on_disk();
  std::uint64_t in_file = body_->offsets[number] + within;
  return {shelf.address(in_file), shelf.fd(), in_file, chunk_size(body_bytes_, number) - within};
}

void Object::note_sendfile() const {
  body_->last_sendfile.store(steady_now().time_since_epoch().count(), std::memory_order_relaxed);
}

bool Object::in_memory() const {
  return body_->in_memory;
}

bool Object::verify() const {
  if (known_good()) return true;
  if (known_bad()) return false;
  bool good = body_->matches_digest();
  body_->knowledge.store(good ? Knowledge::good : Knowledge::bad, std::memory_order_relaxed);
  return good;
}

bool Object::can_be_read() const {
  for (std::uint64_t at = 0; at < body_bytes_ && !body_->in_memory;) {
    Piece next = piece(at);
    if (!store::touch_mapped({next.address, next.size})) {
      note_unreadable();
      return false;
    }
    at += next.size;
  }
  return true;
}

void Object::note_unreadable() const {
  if (!body_->in_memory) body_->knowledge.store(Knowledge::bad, std::memory_order_relaxed);
}

bool Object::known_good() const {
  return body_->knowledge.load(std::memory_order_relaxed) == Knowledge::good;
}

Pin make_loose_object(std::string key, std::string_view body) {
  RELAY_CHECK(body.size() <= limits::chunk_bytes);
  auto chunk = std::make_shared<Chunk>(body.size());
  std::ranges::copy(body, chunk->data.get());
  chunk->size = body.size();
  auto loose = std::make_shared<Body>();
  loose->bytes = body.size();
  loose->digest = digest128(body);
  loose->in_memory = true;
  loose->chunks.push_back(std::move(chunk));
  return std::make_shared<const Object>(std::move(key), std::string(), std::move(loose));
}

bool Object::known_bad() const {
  return body_->knowledge.load(std::memory_order_relaxed) == Knowledge::bad;
}

}  // namespace relay::edge::cache
