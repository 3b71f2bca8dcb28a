#include "edge/cache/body.hpp"

#include <sys/mman.h>

#include "common/store/mapped_read.hpp"

namespace relay::edge::cache {
namespace {

/// The map is opened without read-ahead, since hits jump about; a whole body is read in order.
void announce_reading(const char* at, std::size_t bytes) {
  auto begin = reinterpret_cast<std::uintptr_t>(at) / page_bytes * page_bytes;
  auto end = reinterpret_cast<std::uintptr_t>(at) + bytes;
  madvise(reinterpret_cast<void*>(begin), end - begin, MADV_WILLNEED);
}

}  // namespace

bool Body::matches_digest() const {
  DigestStream stream;
  const Shelf& from = shelf_on_disk();
  for (std::size_t i = 0; i < offsets.size(); ++i) {
    std::string_view chunk(from.address(offsets[i]), chunk_size(bytes, i));
    announce_reading(chunk.data(), chunk.size());
    if (!store::read_mapped([&] { stream.update(chunk); })) return false;
  }
  return stream.digest() == digest;
}

}  // namespace relay::edge::cache
