#include "origin/live/segment.hpp"

#include <bit>
#include <cstring>

namespace relay::origin::live {
namespace {

static_assert(std::endian::native == std::endian::little, "records are little-endian");

constexpr char form_1 = 1;
constexpr std::size_t part_record_bytes = 8 + 8 + 1 + 16;

template <class Value>
void append(std::string& bytes, Value value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

template <class Value>
void take(std::string_view& bytes, Value& into) {
  std::memcpy(&into, bytes.data(), sizeof into);
  bytes.remove_prefix(sizeof into);
}

}  // namespace

std::uint64_t Segment::bytes() const {
  return offset_of(parts.size());
}

std::int64_t Segment::ticks() const {
  std::int64_t sum = 0;
  for (const Part& part : parts) sum += part.ticks;
  return sum;
}

std::uint64_t Segment::offset_of(std::size_t part) const {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < part; ++i) sum += parts[i].bytes;
  return sum;
}

std::string to_bytes(const Segment& segment) {
  std::string bytes(1, form_1);
  bytes.reserve(1 + segment.parts.size() * part_record_bytes);
  for (const Part& part : segment.parts) {
    append(bytes, part.bytes);
    append(bytes, part.ticks);
    append(bytes, static_cast<std::uint8_t>(part.independent));
    append(bytes, part.digest.high);
    append(bytes, part.digest.low);
  }
  return bytes;
}

Result<Segment> segment_from_bytes(std::int64_t number, std::string_view bytes) {
  bool whole = !bytes.empty() && bytes[0] == form_1 && (bytes.size() - 1) % part_record_bytes == 0;
  if (!whole)
    return fail(ErrorKind::corrupt, ErrorSource::disk, "the catalog holds a broken segment");
  bytes.remove_prefix(1);
  Segment segment{.number = number};
  while (!bytes.empty()) {
    Part& part = segment.parts.emplace_back();
    std::uint8_t independent = 0;
    take(bytes, part.bytes);
    take(bytes, part.ticks);
    take(bytes, independent);
    take(bytes, part.digest.high);
    take(bytes, part.digest.low);
    part.independent = independent != 0;
  }
  return segment;
}

}  // namespace relay::origin::live
