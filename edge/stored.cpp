#include "edge/stored.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <span>

#include "common/http/conditional.hpp"
#include "common/http/date.hpp"
#include "common/http/syntax.hpp"
#include "common/http/trail.hpp"
#include "edge/cache_key.hpp"

namespace relay::edge {
namespace {

/// Written anew on each answer, or known from the object.
constexpr std::array<std::string_view, 3> never_kept = {"Content-Length", "Cache-Status", "Age"};
/// These describe the stored bytes themselves, so they stay with them whatever a 304 says (RFC 9111
/// 3.2: fields that the stored response depends upon).
constexpr std::array<std::string_view, 8> never_refreshed = {
    "Content-Encoding", "Content-Length", "Content-MD5", "Content-Range",
    "Content-Digest",   "Digest",         "ETag",        "Repr-Digest"};
constexpr std::array<std::string_view, 8> not_modified_fields = {
    "Cache-Control", "CDN-Cache-Control",  "Content-Location", "Date", "ETag", "Expires",
    "Vary",          "Timing-Allow-Origin"};

bool is_one_of(std::span<const std::string_view> names, std::string_view name) {
  return std::ranges::any_of(names, [&](auto each) { return http::same_name(each, name); });
}

bool is_cors(std::string_view name) {
  constexpr std::string_view prefix = "Access-Control-";
  return http::same_name(name.substr(0, prefix.size()), prefix);
}

std::string write_date(WallTime moment) {
  return http::write_date(std::chrono::floor<std::chrono::seconds>(moment));
}

/// What may be kept of a response, in order; Age still with it.
http::Headers kept_fields(http::Fields response, WallTime response_time) {
  http::Headers kept = http::end_to_end(response);
  auto directives = http::read_response_directives(response);
  for (const std::string& name : directives.private_fields) kept.remove(name);
  for (const std::string& name : directives.no_cache_fields) kept.remove(name);
  if (!kept.find("Date")) kept.add("Date", write_date(response_time));
  return kept;
}

std::string not_modified_text(http::Fields fields) {
  std::string text = fmt::format("HTTP/1.1 304 {}\r\n", http::reason_phrase(304));
  bool has_etag = http::find(fields, "ETag").has_value();
  for (const http::Field& field : fields) {
    bool validator = !has_etag && http::same_name(field.name, "Last-Modified");
    if (!validator && !is_cors(field.name) && !is_one_of(not_modified_fields, field.name)) continue;
    fmt::format_to(std::back_inserter(text), "{}: {}\r\n", field.name, field.value);
  }
  return text;
}

/// Cache-Tag has commas between its tags, Surrogate-Key spaces.
std::vector<std::string> cache_tags(http::Fields fields) {
  std::vector<std::string> tags;
  for (const http::Field& field : fields) {
    std::string_view rest = field.value;
    if (http::same_name(field.name, "Cache-Tag")) {
      while (auto tag = http::next_element(rest)) tags.emplace_back(*tag);
    } else if (http::same_name(field.name, "Surrogate-Key")) {
      while (!rest.empty()) {
        std::string_view tag = rest.substr(0, rest.find_first_of(" \t"));
        rest.remove_prefix(std::min(tag.size() + 1, rest.size()));
        if (!tag.empty()) tags.emplace_back(tag);
      }
    }
  }
  return tags;
}

std::string first(http::Fields fields, std::string_view name) {
  return std::string(http::find(fields, name).value_or(""));
}

std::string only_language(http::Fields fields) {
  std::string list = http::joined(fields, "Content-Language");
  std::string_view rest = list;
  auto language = http::next_element(rest);
  if (!language || http::next_element(rest)) return {};
  std::string lower_case(*language);
  std::ranges::transform(lower_case, lower_case.begin(), http::lower);
  return lower_case;
}

/// The value that a validation asks with; an ETag that is none is no validator.
std::string entity_tag(http::Fields fields) {
  auto text = http::find(fields, "ETag");
  return text && http::read_entity_tag(*text) ? std::string(*text) : std::string();
}

}  // namespace

std::vector<http::Field> StoredResponse::fields() const {
  std::vector<http::Field> out;
  std::string_view rest = field_lines();
  out.reserve(static_cast<std::size_t>(std::ranges::count(rest, '\n')));
  while (!rest.empty()) {
    std::size_t end = std::min(rest.find("\r\n"), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 2, rest.size()));
    std::size_t colon = std::min(line.find(':'), line.size());
    out.push_back(
        {line.substr(0, colon), http::trim(line.substr(std::min(colon + 1, line.size())))});
  }
  return out;
}

bool has_lifetime(const StoredResponse& stored) {
  return stored.kind == StoredKind::response || stored.kind == StoredKind::part;
}

StoredResponse make_stored(int status, http::Fields response, WallTime request_time,
                           WallTime response_time) {
  http::Headers kept = kept_fields(response, response_time);
  StoredResponse out;
  out.freshness = freshness_of(status, kept, request_time, response_time);
  for (std::string_view name : never_kept) kept.remove(name);
  out.status = status;
  out.head_text = fmt::format("HTTP/1.1 {} {}\r\n", status, http::reason_phrase(status));
  out.fields_at = out.head_text.size();
  kept.append_to(out.head_text);
  if (status == 200) out.not_modified_text = not_modified_text(kept);
  out.request_time = request_time;
  out.response_time = response_time;
  out.etag = entity_tag(kept);
  out.last_modified = first(kept, "Last-Modified");
  out.content_type = first(kept, "Content-Type");
  out.vary = vary_names(kept).value_or(std::vector<std::string>{});
  out.language = only_language(kept);
  out.cache_tags = cache_tags(kept);
  return out;
}

http::Headers fields_for_first(http::Fields response) {
  auto directives = http::read_response_directives(response);
  http::Headers own;
  if (directives.private_fields.empty() && directives.no_cache_fields.empty()) return own;
  auto named = [&](std::string_view name) {
    auto same = [&](const std::string& each) { return http::same_name(each, name); };
    return std::ranges::any_of(directives.private_fields, same) ||
           std::ranges::any_of(directives.no_cache_fields, same);
  };
  http::Headers passed = http::end_to_end(response);
  for (const http::Field& field : passed.fields()) {
    bool told_anyhow = is_one_of(never_kept, field.name) || http::same_name(field.name, "Date");
    if (named(field.name) && !told_anyhow) own.add(field.name, field.value);
  }
  return own;
}

StoredResponse make_variants(std::vector<std::string> names, WallTime now) {
  StoredResponse out;
  out.kind = StoredKind::variants;
  out.vary = std::move(names);
  out.request_time = out.response_time = now;
  out.freshness.response_time = now;
  return out;
}

StoredResponse make_alias(std::string key, WallTime now) {
  StoredResponse out = make_variants({}, now);
  out.kind = StoredKind::alias;
  out.alias_of = std::move(key);
  return out;
}

bool confirms(const StoredResponse& stored, http::Fields not_modified) {
  if (std::string etag = entity_tag(not_modified); !etag.empty()) {
    if (stored.etag.empty()) return false;
    bool strong = http::same_strongly(etag, etag);
    return strong ? http::same_strongly(etag, stored.etag) : http::same_weakly(etag, stored.etag);
  }
  auto modified = http::find(not_modified, "Last-Modified");
  if (!modified || stored.last_modified.empty() || !stored.etag.empty()) return true;
  return *modified == stored.last_modified;
}

bool is_head_of(const StoredResponse& stored, std::uint64_t body_bytes, http::Fields head) {
  auto length = http::find(head, "Content-Length");
  if (length && http::read_decimal(*length) != body_bytes) return false;
  return entity_tag(head) == stored.etag && first(head, "Last-Modified") == stored.last_modified;
}

StoredResponse refresh(const StoredResponse& stored, http::Fields not_modified,
                       WallTime request_time, WallTime response_time) {
  http::Headers news = http::end_to_end(not_modified);
  for (std::string_view name : never_refreshed) news.remove(name);
  if (!news.find("Date")) news.add("Date", write_date(response_time));
  http::Headers merged{http::Fields(stored.fields())};
  for (const http::Field& field : news.fields()) merged.remove(field.name);
  for (const http::Field& field : news.fields()) merged.add(field.name, field.value);
  StoredResponse refreshed = make_stored(stored.status, merged, request_time, response_time);
  refreshed.media = stored.media;
  return refreshed;
}

StoredResponse mark_stale(const StoredResponse& stored, WallTime now) {
  StoredResponse out = stored;
  out.stale_from = std::min(stored.stale_from.value_or(now), now);
  auto age = age_of(stored.freshness, *out.stale_from);
  out.freshness.lifetime = std::min(stored.freshness.lifetime, age);
  return out;
}

bool has_validator(const StoredResponse& stored) {
  return !stored.etag.empty() || !stored.last_modified.empty();
}

void add_validators(const StoredResponse& stored, http::Headers& request) {
  if (!stored.etag.empty()) request.set("If-None-Match", stored.etag);
  if (!stored.last_modified.empty()) request.set("If-Modified-Since", stored.last_modified);
}

}  // namespace relay::edge
