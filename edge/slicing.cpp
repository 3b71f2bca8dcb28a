#include "edge/slicing.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/hash.hpp"
#include "common/http/conditional.hpp"
#include "common/http/date.hpp"

namespace relay::edge {
namespace {

bool is_strong(std::string_view etag) {
  auto tag = http::read_entity_tag(etag);
  return tag && !tag->weak;
}

/// A date can pin a version only when the body could not change twice within it.
bool is_strong_date(http::Fields response) {
  auto modified = http::read_date(http::find(response, "Last-Modified").value_or(""));
  auto date = http::read_date(http::find(response, "Date").value_or(""));
  return modified && date && *modified + std::chrono::seconds(1) <= *date;
}

}  // namespace

bool pins_version(http::Fields response) {
  auto etag = http::find(response, "ETag");
  return etag ? is_strong(*etag) : is_strong_date(response);
}

bool may_slice(int status, http::Fields response, std::uint64_t length, std::uint64_t slice_bytes) {
  if (status != 200 || length < sliced_from_slices * slice_bytes) return false;
  if (length > slices_max * slice_bytes) return false;
  if (http::find(response, "Accept-Ranges") != "bytes") return false;
  return pins_version(response);
}

std::string_view pinned_validator(const StoredResponse& stored) {
  return is_strong(stored.etag) ? stored.etag : stored.last_modified;
}

bool shows_pinned_version(const StoredResponse& pinned, http::Fields response) {
  if (is_strong(pinned.etag)) {
    return http::same_strongly(http::find(response, "ETag").value_or(""), pinned.etag);
  }
  return http::find(response, "Last-Modified") == pinned.last_modified;
}

bool same_version(const StoredResponse& a, const StoredResponse& b) {
  return pinned_validator(a) == pinned_validator(b) && a.sliced_bytes == b.sliced_bytes;
}

std::uint64_t slice_count(const StoredResponse& stored, std::uint64_t slice_bytes) {
  return (stored.sliced_bytes + slice_bytes - 1) / slice_bytes;
}

http::ByteRange slice_range(const StoredResponse& stored, std::uint64_t slice_bytes,
                            std::uint64_t number) {
  std::uint64_t first = number * slice_bytes;
  return {first, std::min(first + slice_bytes, stored.sliced_bytes) - 1};
}

std::string slice_key(std::string_view key, const StoredResponse& stored, std::uint64_t slice_bytes,
                      std::uint64_t number) {
  std::string version =
      fmt::format("{} {} {}", pinned_validator(stored), stored.sliced_bytes, slice_bytes);
  return fmt::format("{}\nslice {} {}", key, to_hex(digest128(version)), number);
}

std::string no_ranges_key(std::string_view key) {
  return fmt::format("{}\nno ranges", key);
}

bool asks_for_slice(const http::RequestHead& request) {
  bool pinned = http::count(request.fields, "If-Range") == 1;
  if (request.method != "GET" || !pinned || http::count(request.fields, "Range") != 1) return false;
  auto ranges = http::read_ranges(*http::find(request.fields, "Range"));
  return ranges && ranges->size() == 1 && ranges->front().first && ranges->front().last;
}

SliceAnswer judge_slice(const StoredResponse& pinned, const http::ByteRange& asked, int status,
                        http::Fields response) {
  if (status == 206) {
    auto came = http::read_content_range(http::find(response, "Content-Range").value_or(""));
    bool fits = came && came->range == asked && came->length == pinned.sliced_bytes &&
                shows_pinned_version(pinned, response);
    return fits ? SliceAnswer::slice : SliceAnswer::other_version;
  }
  if (status == 200 && shows_pinned_version(pinned, response)) return SliceAnswer::no_ranges;
  bool about_version = status == 200 || status == 404 || status == 410 || status == 412 ||
                       status == 416 || (status >= 300 && status < 400);
  return about_version ? SliceAnswer::other_version : SliceAnswer::failure;
}

}  // namespace relay::edge
