#include "common/http/url.hpp"

#include <algorithm>
#include <array>

#include "common/http/message.hpp"
#include "common/http/syntax.hpp"

namespace relay::http {
namespace {

bool is_unreserved(char c) {
  char folded = lower(c);
  return (folded >= 'a' && folded <= 'z') || is_digit(c) || c == '-' || c == '.' || c == '_' ||
         c == '~';
}

/// pchar of RFC 3986 3.3 without escapes, and the slash.
constexpr std::array<bool, 256> path_bytes = [] {
  std::array<bool, 256> table{};
  for (char c : std::string_view("-._~!$&'()*+,;=:@/0123456789")) {
    table[static_cast<unsigned char>(c)] = true;
  }
  for (int c = 'a'; c <= 'z'; ++c) table[c] = table[c - 'a' + 'A'] = true;
  return table;
}();

bool is_path_byte(char c) {
  return path_bytes[static_cast<unsigned char>(c)];
}

bool is_forbidden(char c) {
  auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f || byte == '\\';
}

/// The byte of the escape that begins at `at`; nullopt when it is broken.
std::optional<char> read_escape(std::string_view text, std::size_t at) {
  if (text.size() - at < 3) return std::nullopt;
  int high = hex_value(text[at + 1]), low = hex_value(text[at + 2]);
  if (high < 0 || low < 0) return std::nullopt;
  return static_cast<char>(high << 4 | low);
}

void append_escape(std::string& into, char c) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  auto byte = static_cast<unsigned char>(c);
  into.push_back('%');
  into.push_back(digits[byte >> 4]);
  into.push_back(digits[byte & 15]);
}

/// Every byte in its one spelling; dot segments are still there.
Result<std::string> respell(std::string_view path) {
  std::string spelled;
  spelled.reserve(path.size());
  for (std::size_t i = 0; i < path.size(); ++i) {
    char c = path[i];
    bool escaped = c == '%';
    if (escaped) {
      auto byte = read_escape(path, i);
      if (!byte) return bad_input("broken percent escape in the path");
      c = *byte;
      i += 2;
    } else if (static_cast<unsigned char>(c) >= 0x80) {
      return bad_input("byte in the path that is not ASCII");
    }
    if (is_forbidden(c)) return bad_input("control byte or backslash in the path");
    if (escaped ? is_unreserved(c) : is_path_byte(c)) {
      spelled.push_back(c);
    } else {
      append_escape(spelled, c);
    }
  }
  return spelled;
}

/// RFC 3986 5.2.4, but ".." above the root is an error and empty segments are segments.
Result<std::string> resolve_dots(std::string_view path) {
  std::string resolved;
  resolved.reserve(path.size());
  while (!path.empty()) {  // path begins with a slash
    std::size_t end = std::min(path.find('/', 1), path.size());
    std::string_view segment = path.substr(1, end - 1);
    bool last = end == path.size();
    if (segment == "..") {
      if (resolved.empty()) return bad_input("\"..\" above the root in the path");
      resolved.erase(resolved.rfind('/'));
    } else if (segment != ".") {
      resolved.append(path.substr(0, end));
    }
    if (last && (segment == "." || segment == "..")) resolved.push_back('/');
    path.remove_prefix(end);
  }
  return resolved;
}

/// Whether "." or ".." stands between slashes behind position `slash`.
bool is_dot_segment(std::string_view path, std::size_t slash) {
  std::string_view rest = path.substr(slash + 1, 3);
  if (!rest.starts_with('.')) return false;
  rest.remove_prefix(rest.starts_with("..") ? 2 : 1);
  return rest.empty() || rest.front() == '/';
}

std::optional<std::string> decode(std::string_view text, bool plus_is_space) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      auto byte = read_escape(text, i);
      if (!byte) return std::nullopt;
      c = *byte;
      i += 2;
    } else if (c == '+' && plus_is_space) {
      c = ' ';
    }
    decoded.push_back(c);
  }
  return decoded;
}

std::string_view take_pair(std::string_view& query) {
  std::size_t end = std::min(query.find('&'), query.size());
  std::string_view pair = query.substr(0, end);
  query.remove_prefix(std::min(end + 1, query.size()));
  return pair;
}

std::optional<Parameter> read_pair(std::string_view pair) {
  std::size_t equals = std::min(pair.find('='), pair.size());
  auto name = decode(pair.substr(0, equals), true);
  auto value = decode(pair.substr(std::min(equals + 1, pair.size())), true);
  if (!name || !value) return std::nullopt;
  return Parameter{std::move(*name), std::move(*value)};
}

}  // namespace

Target split_target(std::string_view target) {
  std::size_t mark = target.find('?');
  if (mark == std::string_view::npos) return {target, {}, false};
  return {target.substr(0, mark), target.substr(mark + 1), true};
}

Result<std::string> normalise_path(std::string_view path) {
  if (!path.starts_with('/')) return bad_input("path does not begin with a slash");
  auto spelled = respell(path);
  if (!spelled) return spelled;
  return resolve_dots(*spelled);
}

bool is_normal_path(std::string_view path) {
  if (!path.starts_with('/')) return false;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] == '/' && is_dot_segment(path, i)) return false;
    if (is_path_byte(path[i])) continue;
    if (path[i] != '%') return false;
    auto byte = read_escape(path, i);
    if (!byte || is_unreserved(*byte) || is_forbidden(*byte)) return false;
    if (lower(path[i + 1]) == path[i + 1] && !is_digit(path[i + 1])) return false;
    if (lower(path[i + 2]) == path[i + 2] && !is_digit(path[i + 2])) return false;
    i += 2;
  }
  return true;
}

namespace {

/// Takes "http:" or "https:" off the front; false when another scheme stands there.
bool take_scheme(std::string_view& reference) {
  std::size_t end = reference.find_first_of(":/?");
  if (end == std::string_view::npos || reference[end] != ':') return true;
  std::string_view scheme = reference.substr(0, end);
  if (!same_name(scheme, "http") && !same_name(scheme, "https")) return false;
  reference.remove_prefix(end + 1);
  return reference.starts_with("//");
}

std::string_view without_default_port(std::string_view host) {
  for (std::string_view port : {":80", ":443"}) {
    if (host.ends_with(port)) return host.substr(0, host.size() - port.size());
  }
  return host;
}

}  // namespace

std::optional<std::string> resolve_on_host(std::string_view reference, std::string_view base,
                                           std::string_view host) {
  reference = reference.substr(0, reference.find('#'));
  if (!take_scheme(reference)) return std::nullopt;
  if (reference.starts_with("//")) {
    reference.remove_prefix(2);
    std::size_t end = std::min(reference.find_first_of("/?"), reference.size());
    std::string_view authority = without_default_port(reference.substr(0, end));
    if (!same_name(authority, without_default_port(host))) return std::nullopt;
    reference.remove_prefix(end);
    return (reference.starts_with('/') ? "" : "/") + std::string(reference);
  }
  if (reference.empty()) return std::string(base);
  if (reference.starts_with('/')) return std::string(reference);
  std::string_view path = split_target(base).path;
  if (!reference.starts_with('?')) path = path.substr(0, path.rfind('/') + 1);
  return std::string(path).append(reference);
}

std::string percent_encode(std::string_view text, bool keep_slashes) {
  std::string encoded;
  encoded.reserve(text.size());
  for (char c : text) {
    if (is_unreserved(c) || (keep_slashes && c == '/')) {
      encoded.push_back(c);
    } else {
      append_escape(encoded, c);
    }
  }
  return encoded;
}

std::optional<std::string> percent_decode(std::string_view text) {
  return decode(text, false);
}

std::vector<Parameter> read_parameters(std::string_view query) {
  std::vector<Parameter> parameters;
  while (!query.empty()) {
    std::string_view pair = take_pair(query);
    if (pair.empty()) continue;
    if (auto parameter = read_pair(pair)) parameters.push_back(std::move(*parameter));
  }
  return parameters;
}

std::optional<std::string> find_parameter(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    std::string_view pair = take_pair(query);
    if (pair.empty()) continue;
    auto parameter = read_pair(pair);
    if (parameter && parameter->name == name) return std::move(parameter->value);
  }
  return std::nullopt;
}

}  // namespace relay::http
