#include "edge/cache/layout.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "common/base/check.hpp"

namespace relay::edge::cache {
namespace {

constexpr std::uint32_t version_2 = 0x54524f02;  // "TRO", then the version
constexpr std::size_t checked_from = 4 + 8;      // version and checksum stand before the rest
constexpr std::size_t fixed_bytes = checked_from + 8 + 8 + 16 + 8 + 4 + 4;
constexpr std::size_t tree_entry_bytes = 48;  // leaf node, key and its share of branch pages

static_assert(std::endian::native == std::endian::little);

/// Big-endian, as all numbers here; returns what is behind it.
template <class Number>
char* write_at(char* at, Number number) {
  number = std::byteswap(number);
  std::memcpy(at, &number, sizeof number);
  return at + sizeof number;
}

template <class Number>
Number number_at(std::string_view bytes, std::size_t at) {
  Number number;
  std::memcpy(&number, bytes.data() + at, sizeof number);
  return std::byteswap(number);
}

std::size_t rounded_up(std::size_t bytes, std::size_t step_pages) {
  std::size_t step = step_pages * page_bytes;
  return (bytes + page_header_bytes + step - 1) / step * step - page_header_bytes;
}

}  // namespace

std::string_view name(ShelfName shelf) {
  constexpr std::array<std::string_view, shelf_count> names = {"small", "medium", "large"};
  return names[static_cast<std::size_t>(shelf)];
}

ShelfName shelf_of(std::uint64_t body_bytes) {
  for (ShelfName shelf : all_shelves) {
    if (body_bytes <= runs_of(shelf).body_bytes_max) return shelf;
  }
  return ShelfName::large;
}

std::size_t full_chunk_bytes(std::uint64_t body_bytes) {
  return runs_of(shelf_of(body_bytes)).chunk_bytes();
}

std::size_t chunk_count(std::uint64_t body_bytes) {
  std::size_t full = full_chunk_bytes(body_bytes);
  return (body_bytes + full - 1) / full;
}

std::size_t chunk_size(std::uint64_t body_bytes, std::size_t number) {
  std::size_t full = full_chunk_bytes(body_bytes);
  std::uint64_t before = std::uint64_t{number} * full;
  RELAY_CHECK(before < body_bytes);
  return std::min<std::uint64_t>(body_bytes - before, full);
}

std::size_t value_size(std::uint64_t body_bytes, std::size_t number) {
  return rounded_up(chunk_size(body_bytes, number), runs_of(shelf_of(body_bytes)).step_pages);
}

std::uint64_t charge_of(std::uint64_t body_bytes, std::size_t record_bytes) {
  std::uint64_t charge = record_bytes + tree_entry_bytes;
  if (record_bytes > page_bytes / 2) charge = rounded_up(record_bytes, 1) + page_header_bytes;
  std::size_t chunks = chunk_count(body_bytes);
  if (chunks == 0) return charge;
  charge += (chunks - 1) * (full_chunk_bytes(body_bytes) + page_header_bytes);
  charge += value_size(body_bytes, chunks - 1) + page_header_bytes;
  return charge + chunks * tree_entry_bytes;
}

ChunkKey chunk_key(std::uint64_t id, std::uint32_t number) {
  ChunkKey key;
  write_at(write_at(key.data(), id), number);
  return key;
}

std::optional<ChunkName> parse_chunk_key(std::string_view key) {
  if (key.size() != sizeof(ChunkKey)) return std::nullopt;
  return ChunkName{number_at<std::uint64_t>(key, 0), number_at<std::uint32_t>(key, 8)};
}

HeaderKey header_key(const HeaderName& name) {
  HeaderKey key;
  write_at(write_at(write_at(key.data(), name.id), name.hash.high), name.hash.low);
  return key;
}

std::optional<HeaderName> parse_header_key(std::string_view key) {
  if (key.size() != sizeof(HeaderKey)) return std::nullopt;
  return HeaderName{
      number_at<std::uint64_t>(key, 0),
      {.high = number_at<std::uint64_t>(key, 8), .low = number_at<std::uint64_t>(key, 16)}};
}

std::size_t record_bytes(std::size_t key_bytes, std::size_t head_bytes) {
  return fixed_bytes + key_bytes + head_bytes;
}

bool is_of(const Record& record, const HeaderName& name) {
  return record.id == name.id && digest128(record.key) == name.hash;
}

std::string encode(const Record& record) {
  std::string bytes(record_bytes(record.key.size(), record.head.size()), '\0');
  char* at = bytes.data() + checked_from;
  at = write_at(at, record.id);
  at = write_at(at, record.body_bytes);
  at = write_at(at, record.digest.high);
  at = write_at(at, record.digest.low);
  at = write_at(at, std::bit_cast<std::uint64_t>(record.value));
  at = write_at(at, static_cast<std::uint32_t>(record.key.size()));
  at = write_at(at, static_cast<std::uint32_t>(record.head.size()));
  at = std::ranges::copy(record.key, at).out;
  std::ranges::copy(record.head, at);
  write_at(write_at(bytes.data(), version_2), hash64(std::string_view(bytes).substr(checked_from)));
  return bytes;
}

std::optional<Record> decode(std::string_view bytes) {
  if (bytes.size() < fixed_bytes) return std::nullopt;
  if (number_at<std::uint32_t>(bytes, 0) != version_2) return std::nullopt;
  if (number_at<std::uint64_t>(bytes, 4) != hash64(bytes.substr(checked_from))) return std::nullopt;
  Record record;
  record.id = number_at<std::uint64_t>(bytes, 12);
  record.body_bytes = number_at<std::uint64_t>(bytes, 20);
  record.digest.high = number_at<std::uint64_t>(bytes, 28);
  record.digest.low = number_at<std::uint64_t>(bytes, 36);
  record.value = std::bit_cast<double>(number_at<std::uint64_t>(bytes, 44));
  std::uint64_t key_bytes = number_at<std::uint32_t>(bytes, 52);
  std::uint64_t head_bytes = number_at<std::uint32_t>(bytes, 56);
  if (fixed_bytes + key_bytes + head_bytes != bytes.size()) return std::nullopt;
  record.key = bytes.substr(fixed_bytes, key_bytes);
  record.head = bytes.substr(fixed_bytes + key_bytes);
  return record;
}

}  // namespace relay::edge::cache
