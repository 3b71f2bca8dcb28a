// Byte ranges (RFC 9110 14). Positions are bytes from 0; `last` is inclusive, as on the wire. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace relay::http {

struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::uint64_t length() const { return last - first + 1; }
  bool operator==(const ByteRange&) const = default;
};

/// As asked for, before the length is known: "5-9", "5-" (no last), "-5" (no first; last is the
/// number of bytes from the end).
struct AskedRange {
  std::optional<std::uint64_t> first;
  std::optional<std::uint64_t> last;
  bool operator==(const AskedRange&) const = default;
};

/// The ranges of a Range field; nullopt when it is another unit, malformed, or names more than
/// limits::ranges_max. Such a field is ignored (14.2).
std::optional<std::vector<AskedRange>> read_ranges(std::string_view value);

/// Within a body of that length; nullopt when nothing of it is.
std::optional<ByteRange> clamp(const AskedRange& asked, std::uint64_t length);

enum class RangeKind { whole, single, several, unsatisfiable };

struct RangeDecision {
  RangeKind kind = RangeKind::whole;
  ByteRange range;                // when single
  std::vector<ByteRange> ranges;  // when several: in the order asked, none overlaps another
};

/// What to answer: the whole body (200), one part (206), several (206 multipart), or 416. Ranges
/// that overlap get the whole body: they are of no use but to an attacker (14.2, 17.15).
RangeDecision decide_range(std::string_view value, std::uint64_t length);

/// "bytes 0-99/1000".
std::string write_content_range(const ByteRange& range, std::uint64_t length);
/// "bytes */1000", for a 416.
std::string write_content_range_unsatisfied(std::uint64_t length);

struct ContentRange {
  std::optional<ByteRange> range;       // none in "bytes */1000"
  std::optional<std::uint64_t> length;  // none in "bytes 0-99/*"
  bool operator==(const ContentRange&) const = default;
};

/// nullopt when malformed or contradictory (last before first, last beyond the length).
std::optional<ContentRange> read_content_range(std::string_view value);

/// What stands before each part of a multipart/byteranges body, and after the last one.
std::string multipart_head(std::string_view boundary, std::string_view content_type,
                           const ByteRange& range, std::uint64_t length);
std::string multipart_end(std::string_view boundary);
/// The length of the whole body, heads and end included.
std::uint64_t multipart_length(std::string_view boundary, std::string_view content_type,
                               const std::vector<ByteRange>& ranges, std::uint64_t length);

}  // namespace relay::http
