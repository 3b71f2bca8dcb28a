// Request targets: path and query, and the one spelling of a path that keys are made of
// (RFC 3986 2.3, 5.2.4, 6.2.2). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.hpp"

namespace relay::http {

struct Target {
  std::string_view path;
  std::string_view query;  // without "?"; empty also when there is none
  bool has_query = false;  // "/a?" has an empty one
};

Target split_target(std::string_view target);

/// One spelling for all equal paths: unreserved bytes decoded, hexadecimal digits upper case, dot
/// segments resolved. "%2F" stays encoded; empty segments stay. Refused (invalid, client): no
/// leading slash, ".." above the root, broken escapes, encoded or plain control bytes, backslash
/// in either form, bytes that are not ASCII.
Result<std::string> normalise_path(std::string_view path);

/// Whether normalise_path() would return the very same text; needs no memory, for the hot path.
bool is_normal_path(std::string_view path);

/// Everything but unreserved bytes becomes %XX; `keep_slashes` for whole paths.
std::string percent_encode(std::string_view text, bool keep_slashes = false);
/// All escapes decoded; nullopt when one is broken.
std::optional<std::string> percent_decode(std::string_view text);

/// A reference in an answer (Location, Content-Location) as a target on the same host (RFC 3986
/// 5.2): `base` is the target that was asked for, `host` the value of its Host field. Dot segments
/// stay. nullopt when it leads to another host, or to something that is not HTTP.
std::optional<std::string> resolve_on_host(std::string_view reference, std::string_view base,
                                           std::string_view host);

struct Parameter {
  std::string name;
  std::string value;
};

/// "a=1&b=&c" decoded ("+" is a space); pairs with broken escapes are left out.
std::vector<Parameter> read_parameters(std::string_view query);
/// The first one of that name, decoded.
std::optional<std::string> find_parameter(std::string_view query, std::string_view name);

}  // namespace relay::http
