// How an object lies in LMDB: record keys, the header record, and the sizes of body values. Pure;
// writer and reader share this file and nothing else knows a byte of it.
//
// Two environments ("shelves") hold bodies so that run lengths never mix (DESIGN 4.4): bulk takes
// bodies in chunks of limits::chunk_bytes, the last one rounded up to 16 or 32 pages; small takes
// bodies of at most four pages as one value of whole pages. Header records stand in the small
// environment beside its bodies, in a table of their own, keyed by the 128-bit hash of the cache
// key: there is at most one for a key, so a restart can never bring back two answers.
//
// Body values are keyed by an object id that is never used twice, not by the hash: the pages of a
// replaced body must stay where they are while somebody still sends them, so old and new bodies
// of one key have to be able to lie side by side, and an id makes every value write-once.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/hash.hpp"
#include "common/base/limits.hpp"

namespace relay::edge::cache {

inline constexpr std::size_t page_bytes = 4096;
inline constexpr std::size_t page_header_bytes = 16;  // LMDB's, before an overflow value
inline constexpr std::size_t bulk_step_pages = 16;
inline constexpr std::size_t small_body_bytes_max = 4 * page_bytes - page_header_bytes;

static_assert((limits::chunk_bytes + page_header_bytes) % (bulk_step_pages * page_bytes) == 0);
static_assert(small_body_bytes_max < bulk_step_pages * page_bytes - page_header_bytes);
// Values above a leaf's node limit (under half a page) get overflow pages of their own; the
// smallest value, one page less the header, must be one of those.
static_assert(page_bytes - page_header_bytes > page_bytes / 2);

enum class ShelfName : std::uint8_t { small, bulk };
inline constexpr std::size_t shelf_count = 2;

ShelfName shelf_of(std::uint64_t body_bytes);

/// How many values a body takes; 0 for an empty body.
std::size_t chunk_count(std::uint64_t body_bytes);
/// Bytes of the body in chunk `number` (< chunk_count).
std::size_t chunk_size(std::uint64_t body_bytes, std::size_t number);
/// Bytes of the value that holds chunk `number`: chunk_size rounded up to fill its pages.
std::size_t value_size(std::uint64_t body_bytes, std::size_t number);
/// What the object costs of the byte budget: its pages, its header record and tree entries.
std::uint64_t charge_of(std::uint64_t body_bytes, std::size_t record_bytes);

/// Big-endian id and chunk number: the chunks of a body are neighbours, in order.
using ChunkKey = std::array<char, 12>;
ChunkKey chunk_key(std::uint64_t id, std::uint32_t number);
struct ChunkName {
  std::uint64_t id = 0;
  std::uint32_t number = 0;
  bool operator==(const ChunkName&) const = default;
};
std::optional<ChunkName> parse_chunk_key(std::string_view key);

/// Big-endian hash, high half first.
using ObjectKey = std::array<char, 16>;
ObjectKey object_key(const Digest128& hash);

inline std::string_view view(const ChunkKey& key) {
  return {key.data(), key.size()};
}
inline std::string_view view(const ObjectKey& key) {
  return {key.data(), key.size()};
}

/// The header record of a stored object, version 1.
struct Record {
  std::uint64_t id = 0;
  std::uint64_t body_bytes = 0;
  Digest128 digest;
  double value = 1.0;
  std::string key;
  std::string head;
  bool operator==(const Record&) const = default;
};

std::string encode(const Record& record);
/// Nothing when the bytes are not a whole record of a known version with its right checksum.
std::optional<Record> decode(std::string_view bytes);
/// Only the id, without the checksum; for "is this still the record of that object?".
std::optional<std::uint64_t> record_id(std::string_view bytes);

}  // namespace relay::edge::cache
