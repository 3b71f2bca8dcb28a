// How an object lies in LMDB: record keys, the header record, and the sizes of body values. Pure;
// writer and reader share this file and nothing else knows a byte of it.
//
// Three environments ("shelves") hold bodies so that run lengths hardly mix (DESIGN 4.4): small
// takes bodies of at most four pages as one value of whole pages; medium cuts bodies into chunks of
// 32 pages, large those above 640 KiB into chunks of 256, the last chunk of a body rounded up to
// the shelf's step. Large chunks leave in fewer sendfile calls (docs/decisions.md, 4). Header
// records stand in the small environment beside its bodies, in a table of their own.
//
// Both are keyed by an object id that is never used twice, and grows: the pages of a replaced body
// must stay where they are while somebody still sends them, so old and new bodies of one key have
// to be able to lie side by side, and an id makes every value write-once. What is stored together
// then stands together: keyed by a hash, each object would have to write a page of the tree anew.
//
// Behind the id the key of a header record has the 128-bit hash of the cache key, so that the keys
// alone tell which objects there are. Of two records of one hash, as a crash may leave them before
// the older one is erased, the greater id counts, damaged or not: a restart brings back neither two
// answers nor one that was replaced.
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
// Values above a leaf's node limit (under half a page) get overflow pages of their own; the
// smallest value, one page less the header, must be one of those.
static_assert(page_bytes - page_header_bytes > page_bytes / 2);

enum class ShelfName : std::uint8_t { small, medium, large };
inline constexpr std::size_t shelf_count = 3;
inline constexpr std::array<ShelfName, shelf_count> all_shelves = {
    ShelfName::small, ShelfName::medium, ShelfName::large};

/// The runs of pages that the values of a shelf take.
struct Runs {
  std::size_t step_pages;  // every run is a multiple of it
  std::size_t full_pages;  // of every chunk but a body's last
  std::uint64_t body_bytes_max;
  constexpr std::size_t chunk_bytes() const { return full_pages * page_bytes - page_header_bytes; }
};
inline constexpr std::array<Runs, shelf_count> shelf_runs = {
    Runs{1, 4, 4 * page_bytes - page_header_bytes},
    Runs{16, 32, 640 << 10},
    Runs{64, 256, UINT64_MAX},
};
constexpr const Runs& runs_of(ShelfName shelf) {
  return shelf_runs[static_cast<std::size_t>(shelf)];
}
std::string_view name(ShelfName shelf);  // of its folder

ShelfName shelf_of(std::uint64_t body_bytes);
/// Bytes of every chunk of the body but the last.
std::size_t full_chunk_bytes(std::uint64_t body_bytes);

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

/// Big-endian id, then the hash, high half first: headers stand in the order of their ids.
using HeaderKey = std::array<char, 24>;
struct HeaderName {
  std::uint64_t id = 0;
  Digest128 hash;  // of the cache key
  bool operator==(const HeaderName&) const = default;
};
HeaderKey header_key(const HeaderName& name);
std::optional<HeaderName> parse_header_key(std::string_view key);

inline std::string_view view(const ChunkKey& key) {
  return {key.data(), key.size()};
}
inline std::string_view view(const HeaderKey& key) {
  return {key.data(), key.size()};
}

/// The header record of a stored object, version 2 (1 knew two shelves).
struct Record {
  std::uint64_t id = 0;
  std::uint64_t body_bytes = 0;
  Digest128 digest;
  double value = 1.0;
  std::string key;
  std::string head;
  bool operator==(const Record&) const = default;
};

/// Whether it stands where it belongs.
bool is_of(const Record& record, const HeaderName& name);
std::string encode(const Record& record);
/// Of encode()'s result.
std::size_t record_bytes(std::size_t key_bytes, std::size_t head_bytes);
/// Nothing when the bytes are not a whole record of a known version with its right checksum.
std::optional<Record> decode(std::string_view bytes);

}  // namespace relay::edge::cache
