#include "edge/part.hpp"

#include <algorithm>

#include "common/http/conditional.hpp"
#include "common/http/range.hpp"
#include "common/http/trail.hpp"

namespace relay::edge {
namespace {

bool has_condition(http::Fields fields) {
  return std::ranges::any_of(fields, [](const http::Field& field) {
    return http::same_name(field.name.substr(0, 3), "If-");
  });
}

/// The one range of a request without conditions.
std::optional<http::AskedRange> sole_range(const http::RequestHead& request) {
  if (request.method != "GET" || http::count(request.fields, "Range") != 1) return std::nullopt;
  if (has_condition(request.fields)) return std::nullopt;
  auto ranges = http::read_ranges(*http::find(request.fields, "Range"));
  if (!ranges || ranges->size() != 1) return std::nullopt;
  return ranges->front();
}

std::optional<http::ContentRange> content_range(http::Fields fields) {
  if (http::count(fields, "Content-Range") != 1) return std::nullopt;
  return http::read_content_range(*http::find(fields, "Content-Range"));
}

}  // namespace

std::string part_key(std::string_view primary) {
  return std::string(primary) + "\n\npart";
}

bool asks_for_tail(const http::RequestHead& request) {
  auto asked = sole_range(request);
  return asked && !asked->first && asked->last && *asked->last <= part_bytes_max;
}

StoredResponse make_part(std::string_view asked_range, http::Fields response, WallTime request_time,
                         WallTime response_time) {
  StoredResponse part = make_stored(206, response, request_time, response_time);
  part.kind = StoredKind::part;
  part.asked_range = asked_range;
  return part;
}

std::optional<Extent> extent_of(const StoredResponse& part, std::uint64_t held_bytes) {
  auto told = content_range(part.fields());
  if (!told || !told->range || !told->length) return std::nullopt;
  if (told->range->length() != held_bytes) return std::nullopt;
  return Extent{*told->range, *told->length};
}

std::optional<AnswerPlan> plan_from_part(const http::RequestHead& request,
                                         const StoredResponse& part, std::uint64_t held_bytes) {
  auto asked = sole_range(request);
  if (!asked) return std::nullopt;
  if (*http::find(request.fields, "Range") == part.asked_range) return AnswerPlan{};
  auto extent = extent_of(part, held_bytes);
  auto range = extent ? http::clamp(*asked, extent->length) : std::nullopt;
  if (!range || range->first < extent->range.first || range->last > extent->range.last) {
    return std::nullopt;
  }
  return AnswerPlan{AnswerKind::part, {*range}, extent->range.first};
}

bool is_beginning(const StoredResponse& part, std::uint64_t held_bytes) {
  auto extent = extent_of(part, held_bytes);
  return extent && extent->range.first == 0 && extent->range.length() < extent->length;
}

std::optional<std::uint64_t> reaches_end(http::Fields response, std::uint64_t first) {
  auto told = content_range(response);
  if (!told || !told->range || !told->length) return std::nullopt;
  bool fits = told->range->first == first && told->range->last + 1 == *told->length;
  return fits ? told->length : std::nullopt;
}

std::optional<std::uint64_t> continues(http::Fields response, std::uint64_t first,
                                       std::string_view etag) {
  bool same = http::same_strongly(http::find(response, "ETag").value_or(""), etag);
  return same ? reaches_end(response, first) : std::nullopt;
}

http::Headers fields_of_whole(const StoredResponse& part, http::Fields continuation) {
  http::Headers news = http::end_to_end(continuation);
  http::Headers whole{http::Fields(part.fields())};
  for (const http::Field& field : news.fields()) whole.remove(field.name);
  for (const http::Field& field : news.fields()) whole.add(field.name, field.value);
  whole.remove("Content-Range");
  whole.remove("Content-Length");
  return whole;
}

}  // namespace relay::edge
