// What a purge names, as POST /purge says it. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/error.hpp"

namespace relay::edge {

enum class PurgeBy : std::uint8_t { url, prefix, tag, tenant, all };

/// One purge. `text` is what it is compared with: a path with its query, a path's beginning, a tag
/// or a tenant's name; empty for all.
struct Purge {
  PurgeBy by = PurgeBy::url;
  std::string text;
  std::string host;        // of an absolute url or prefix; empty: any host
  bool soft = false;       // mark stale instead of removing
  bool here_only = false;  // at the edge that is asked, not in its fleet
  bool operator==(const Purge&) const = default;
};

/// The body of POST /purge: exactly one of "url", "prefix", "tag", "tenant" with a text or "all"
/// with true, optionally "soft", and "scope", which is "fleet" or "edge". A tag is one of Cache-Tag
/// or Surrogate-Key.
/// Errors: invalid, naming the member and what is allowed.
Result<Purge> parse_purge(std::string_view json);

/// The word of a kind, as in the JSON.
std::string_view name(PurgeBy by);

/// The part of a primary key behind its host, if it has one.
std::string_view target_of(std::string_view primary);
/// Whose target it is: "a" for /a/… and /watch/a/….
std::string_view tenant_of(std::string_view target);

}  // namespace relay::edge
