// Any bytes as Range and Content-Range: what is decided lies within the body.
#include <algorithm>
#include <cstring>

#include "common/base/check.hpp"
#include "common/base/limits.hpp"
#include "common/http/range.hpp"

namespace http = relay::http;

namespace {

void check_within(const http::ByteRange& range, std::uint64_t length) {
  RELAY_CHECK(range.first <= range.last && range.last < length);
  auto read = http::read_content_range(http::write_content_range(range, length));
  RELAY_CHECK(read && read->range == range && read->length == length);
}

void check(const http::RangeDecision& decision, std::uint64_t length) {
  if (decision.kind == http::RangeKind::single) check_within(decision.range, length);
  RELAY_CHECK((decision.kind == http::RangeKind::several) == (decision.ranges.size() > 1));
  RELAY_CHECK(decision.ranges.size() <= relay::limits::ranges_max);
  std::uint64_t bytes = 0;
  for (const http::ByteRange& range : decision.ranges) {
    check_within(range, length);
    bytes += range.length();
  }
  RELAY_CHECK(bytes <= length);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  std::uint64_t length = 0;
  if (size < sizeof length) return 0;
  std::memcpy(&length, data, sizeof length);
  length >>= 1 + length % 63;  // small bodies as often as large ones; at most 63 bits
  std::string_view value(reinterpret_cast<const char*>(data) + sizeof length, size - sizeof length);
  check(http::decide_range(value, length), length);
  if (auto read = http::read_content_range(value); read && read->range && read->length) {
    RELAY_CHECK(read->range->first <= read->range->last && read->range->last < *read->length);
  }
  return 0;
}
