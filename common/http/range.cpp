#include "common/http/range.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/limits.hpp"
#include "common/http/message.hpp"
#include "common/http/syntax.hpp"

namespace relay::http {
namespace {

std::optional<AskedRange> read_range(std::string_view text) {
  std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  std::string_view first = text.substr(0, dash), last = text.substr(dash + 1);
  AskedRange asked{read_decimal(first), read_decimal(last)};
  if ((!asked.first && !first.empty()) || (!asked.last && !last.empty())) return std::nullopt;
  if (!asked.first && !asked.last) return std::nullopt;
  if (asked.first && asked.last && *asked.last < *asked.first) return std::nullopt;
  return asked;
}

bool overlap(std::vector<ByteRange> ranges) {
  std::ranges::sort(ranges, {}, &ByteRange::first);
  auto overlaps = [](const ByteRange& a, const ByteRange& b) { return b.first <= a.last; };
  return std::ranges::adjacent_find(ranges, overlaps) != ranges.end();
}

constexpr std::string_view unit = "bytes";

}  // namespace

std::optional<std::vector<AskedRange>> read_ranges(std::string_view value) {
  value = trim(value);
  if (!same_name(value.substr(0, unit.size()), unit)) return std::nullopt;
  value.remove_prefix(unit.size());
  if (!value.starts_with('=')) return std::nullopt;
  value.remove_prefix(1);
  std::vector<AskedRange> ranges;
  while (auto element = next_element(value)) {
    auto range = read_range(*element);
    if (!range || ranges.size() == limits::ranges_max) return std::nullopt;
    ranges.push_back(*range);
  }
  if (ranges.empty()) return std::nullopt;
  return ranges;
}

std::optional<ByteRange> clamp(const AskedRange& asked, std::uint64_t length) {
  if (length == 0) return std::nullopt;
  if (asked.first) {
    if (*asked.first >= length) return std::nullopt;
    return ByteRange{*asked.first, std::min(asked.last.value_or(length - 1), length - 1)};
  }
  std::uint64_t from_end = std::min(asked.last.value_or(0), length);
  if (from_end == 0) return std::nullopt;
  return ByteRange{length - from_end, length - 1};
}

RangeDecision decide_range(std::string_view value, std::uint64_t length) {
  auto asked = read_ranges(value);
  if (!asked) return {};
  RangeDecision decision;
  if (asked->size() == 1) {
    auto range = clamp(asked->front(), length);
    decision.kind = range ? RangeKind::single : RangeKind::unsatisfiable;
    decision.range = range.value_or(ByteRange{});
    return decision;
  }
  for (const AskedRange& one : *asked) {
    if (auto range = clamp(one, length)) decision.ranges.push_back(*range);
  }
  if (decision.ranges.empty()) {
    decision.kind = RangeKind::unsatisfiable;
  } else if (decision.ranges.size() == 1) {
    decision.kind = RangeKind::single;
    decision.range = decision.ranges.front();
    decision.ranges.clear();
  } else if (overlap(decision.ranges)) {
    decision.ranges.clear();
  } else {
    decision.kind = RangeKind::several;
  }
  return decision;
}

std::string write_content_range(const ByteRange& range, std::uint64_t length) {
  return fmt::format("bytes {}-{}/{}", range.first, range.last, length);
}

std::string write_content_range_unsatisfied(std::uint64_t length) {
  return fmt::format("bytes */{}", length);
}

std::optional<ContentRange> read_content_range(std::string_view value) {
  value = trim(value);
  if (!same_name(value.substr(0, unit.size()), unit)) return std::nullopt;
  value.remove_prefix(unit.size());
  if (!value.starts_with(' ')) return std::nullopt;
  value.remove_prefix(1);
  std::size_t slash = value.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  std::string_view part = value.substr(0, slash), whole = value.substr(slash + 1);
  ContentRange read;
  read.length = read_decimal(whole);
  if (!read.length && whole != "*") return std::nullopt;
  if (part == "*") {
    if (!read.length) return std::nullopt;
    return read;
  }
  auto asked = read_range(part);
  if (!asked || !asked->first || !asked->last) return std::nullopt;
  if (read.length && *asked->last >= *read.length) return std::nullopt;
  read.range = ByteRange{*asked->first, *asked->last};
  return read;
}

std::string multipart_head(std::string_view boundary, std::string_view content_type,
                           const ByteRange& range, std::uint64_t length) {
  return fmt::format("\r\n--{}\r\nContent-Type: {}\r\nContent-Range: {}\r\n\r\n", boundary,
                     content_type, write_content_range(range, length));
}

std::string multipart_end(std::string_view boundary) {
  return fmt::format("\r\n--{}--\r\n", boundary);
}

std::uint64_t multipart_length(std::string_view boundary, std::string_view content_type,
                               const std::vector<ByteRange>& ranges, std::uint64_t length) {
  std::uint64_t bytes = multipart_end(boundary).size();
  for (const ByteRange& range : ranges) {
    bytes += multipart_head(boundary, content_type, range, length).size() + range.length();
  }
  return bytes;
}

}  // namespace relay::http
