#include "common/http/conditional.hpp"

#include "common/http/syntax.hpp"

namespace relay::http {
namespace {

/// etagc of RFC 9110 8.8.3: visible ASCII but the quote, and bytes above ASCII.
bool is_tag_byte(char c) {
  auto byte = static_cast<unsigned char>(c);
  return byte > 0x20 && byte != '"' && byte != 0x7f;
}

/// Takes an entity tag off the front; nullopt when there is none.
std::optional<EntityTag> take_entity_tag(std::string_view& rest) {
  EntityTag tag;
  std::string_view text = rest;
  if (text.starts_with("W/")) {
    tag.weak = true;
    text.remove_prefix(2);
  }
  if (!text.starts_with('"')) return std::nullopt;
  std::size_t end = 1;
  while (end < text.size() && is_tag_byte(text[end])) ++end;
  if (end == text.size() || text[end] != '"') return std::nullopt;
  tag.opaque = text.substr(0, end + 1);
  rest = text.substr(end + 1);
  return tag;
}

bool matches(const EntityTag& a, const EntityTag& b, bool strongly) {
  return a.opaque == b.opaque && !(strongly && (a.weak || b.weak));
}

/// Whether a list of tags, or "*", matches. What follows the first malformed tag is not read.
bool list_matches(std::string_view list, std::optional<std::string_view> etag, bool exists,
                  bool strongly) {
  if (trim(list) == "*") return exists;
  std::optional<EntityTag> current;
  if (etag) current = read_entity_tag(*etag);
  if (!current || !exists) return false;
  while (true) {
    while (!list.empty() && (is_space(list.front()) || list.front() == ',')) list.remove_prefix(1);
    auto tag = take_entity_tag(list);
    if (!tag) return false;
    if (matches(*tag, *current, strongly)) return true;
    list = trim(list);
    if (!list.starts_with(',')) return false;
  }
}

/// The same over every field of that name; nullopt when there is none.
std::optional<bool> any_matches(Fields request, std::string_view name,
                                std::optional<std::string_view> etag, bool exists, bool strongly) {
  std::optional<bool> found;
  for (const Field& field : request) {
    if (!same_name(field.name, name)) continue;
    found = found.value_or(false) || list_matches(field.value, etag, exists, strongly);
  }
  return found;
}

/// Whether the representation changed after the date of that field; nullopt when the field is
/// absent or no date, or nothing is known about the last change (then it is to be ignored).
std::optional<bool> changed_since(Fields request, std::string_view name,
                                  std::optional<DateTime> last_modified) {
  auto text = find(request, name);
  if (!text || !last_modified) return std::nullopt;
  auto date = read_date(*text);
  if (!date) return std::nullopt;
  return *last_modified > *date;
}

/// The first two steps of 13.2.2: conditions that protect against lost updates.
bool guards_fail(Fields request, const Validators& current, bool exists) {
  if (auto match = any_matches(request, "If-Match", current.etag, exists, true)) return !*match;
  return changed_since(request, "If-Unmodified-Since", current.last_modified).value_or(false);
}

}  // namespace

std::optional<EntityTag> read_entity_tag(std::string_view text) {
  auto tag = take_entity_tag(text);
  if (!tag || !text.empty()) return std::nullopt;
  return tag;
}

bool same_strongly(std::string_view a, std::string_view b) {
  auto first = read_entity_tag(a), second = read_entity_tag(b);
  return first && second && matches(*first, *second, true);
}

bool same_weakly(std::string_view a, std::string_view b) {
  auto first = read_entity_tag(a), second = read_entity_tag(b);
  return first && second && matches(*first, *second, false);
}

Precondition evaluate(Fields request, std::string_view method, const Validators& current,
                      bool exists) {
  if (guards_fail(request, current, exists)) return Precondition::failed;
  bool reads = method == "GET" || method == "HEAD";
  if (auto match = any_matches(request, "If-None-Match", current.etag, exists, false)) {
    if (!*match) return Precondition::proceed;
    return reads ? Precondition::not_modified : Precondition::failed;
  }
  if (!reads) return Precondition::proceed;
  auto known = current.last_modified ? current.last_modified : current.generated;
  auto changed = changed_since(request, "If-Modified-Since", known);
  return changed.value_or(true) ? Precondition::proceed : Precondition::not_modified;
}

Precondition evaluate(Fields request, std::string_view method, Fields response) {
  return evaluate(request, method, validators_of(response));
}

bool if_range_holds(std::string_view if_range, const Validators& current) {
  if (auto date = read_date(if_range)) {
    bool strong = !current.generated || *date + std::chrono::seconds(1) <= *current.generated;
    return strong && current.last_modified == date;
  }
  return current.etag && same_strongly(if_range, *current.etag);
}

Validators validators_of(Fields response) {
  Validators validators;
  auto etag = find(response, "ETag");
  if (etag && read_entity_tag(*etag)) validators.etag = etag;
  if (auto date = find(response, "Last-Modified")) validators.last_modified = read_date(*date);
  return validators;
}

}  // namespace relay::http
