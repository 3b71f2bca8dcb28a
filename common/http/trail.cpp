#include "common/http/trail.hpp"

#include <algorithm>
#include <charconv>

#include "common/http/structured_field_syntax.hpp"
#include "common/http/syntax.hpp"

namespace relay::http {
namespace {

void append_number(std::string& text, std::int64_t number) {
  char digits[24];
  auto written = std::to_chars(digits, digits + sizeof digits, number);
  text.append(digits, written.ptr);
}

/// An sf-string; bytes that it cannot hold become "?".
void append_string(std::string& text, std::string_view string) {
  text += '"';
  for (char c : string) {
    if (c == '"' || c == '\\') text += '\\';
    text += c >= 0x20 && c < 0x7f ? c : '?';
  }
  text += '"';
}

/// An sf-token where the text is one, else an sf-string.
void append_name(std::string& text, std::string_view name) {
  bool token = !name.empty() && structured::is_token_start(name.front()) &&
               std::ranges::all_of(name, structured::is_token_rest);
  if (!token) return append_string(text, name);
  text += name;
}

/// All values of a list field and one more, as one field.
void append_element(Headers& message, std::string_view field, std::string_view element) {
  std::string value = joined(message, field);
  if (!value.empty()) value += ", ";
  value += element;
  message.set(field, value);
}

bool is_any(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::ranges::any_of(names, [&](std::string_view n) { return same_name(n, name); });
}

/// For every recipient, so Connection may not name them (RFC 9110 7.6.1).
bool is_for_all(std::string_view name) {
  return is_any(name,
                {"Host", "Content-Length", "Content-Type", "Content-Encoding", "Content-Range",
                 "Cache-Control", "CDN-Cache-Control", "Age", "Date", "Expires", "Vary", "ETag",
                 "Last-Modified", "Via", "CDN-Loop", "Cache-Status", "Authorization"});
}

/// Calls `visit` with the cdn-id of every entry, parameters left off.
template <class Visit>
void each_loop_entry(Fields request, Visit visit) {
  for (const Field& field : request) {
    if (!same_name(field.name, "CDN-Loop")) continue;
    std::string_view rest = field.value;
    while (auto entry = next_element(rest)) visit(trim(entry->substr(0, entry->find(';'))));
  }
}

}  // namespace

std::string_view name(Forward forward) {
  switch (forward) {
    case Forward::none:
      return "";
    case Forward::bypass:
      return "bypass";
    case Forward::method:
      return "method";
    case Forward::uri_miss:
      return "uri-miss";
    case Forward::vary_miss:
      return "vary-miss";
    case Forward::miss:
      return "miss";
    case Forward::request:
      return "request";
    case Forward::stale:
      return "stale";
    case Forward::partial:
      return "partial";
  }
  return "";
}

void append_to(std::string& text, const CacheStatus& entry) {
  append_name(text, entry.cache);
  if (entry.hit) text += "; hit";
  if (entry.forward != Forward::none) text.append("; fwd=").append(name(entry.forward));
  if (entry.forward_status) {
    text += "; fwd-status=";
    append_number(text, *entry.forward_status);
  }
  if (entry.ttl) {
    text += "; ttl=";
    append_number(text, entry.ttl->count());
  }
  if (entry.stored) text += "; stored";
  if (entry.collapsed) text += "; collapsed";
  if (!entry.key.empty()) {
    text += "; key=";
    append_string(text, entry.key);
  }
  if (!entry.detail.empty()) {
    text += "; detail=";
    append_name(text, entry.detail);
  }
}

std::string write(const CacheStatus& entry) {
  std::string text;
  text.reserve(64 + entry.cache.size() + entry.key.size() + entry.detail.size());
  append_to(text, entry);
  return text;
}

void append_cache_status(Headers& response, const CacheStatus& entry) {
  append_element(response, "Cache-Status", write(entry));
}

void append_via(Headers& message, int minor_version, std::string_view name) {
  std::string element = minor_version == 0 ? "1.0 " : "1.1 ";
  append_element(message, "Via", element.append(name));
}

void append_cdn_loop(Headers& request, std::string_view name) {
  append_element(request, "CDN-Loop", name);
}

std::size_t cdn_loop_count(Fields request) {
  std::size_t entries = 0;
  each_loop_entry(request, [&](std::string_view) { ++entries; });
  return entries;
}

bool cdn_loop_has(Fields request, std::string_view name) {
  bool found = false;
  each_loop_entry(request, [&](std::string_view entry) { found |= same_name(entry, name); });
  return found;
}

std::optional<std::uint64_t> forwards_left(std::string_view method, Fields request) {
  if (method != "OPTIONS" && method != "TRACE") return std::nullopt;
  auto text = find(request, "Max-Forwards");
  return text ? read_decimal(*text) : std::nullopt;
}

bool is_hop_by_hop(std::string_view name) {
  return is_any(name, {"Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate",
                       "Proxy-Authorization", "Proxy-Authentication-Info", "TE", "Trailer",
                       "Transfer-Encoding", "Upgrade", "HTTP2-Settings"});
}

bool listed_in_connection(Fields fields, std::string_view name) {
  if (is_for_all(name)) return false;
  return std::ranges::any_of(fields, [&](const Field& field) {
    return same_name(field.name, "Connection") && has_element(field.value, name);
  });
}

Headers end_to_end(Fields fields) {
  Headers kept;
  bool listed = find(fields, "Connection").has_value();
  for (const Field& field : fields) {
    if (is_hop_by_hop(field.name)) continue;
    if (listed && listed_in_connection(fields, field.name)) continue;
    kept.add(field.name, field.value);
  }
  return kept;
}

}  // namespace relay::http
