// What requests and responses say about caching (RFC 9111 5.1-5.3, 5861, 8246, 9213). Reading
// only; whether something is fresh is decided elsewhere. Pure.
//
// Doubtful freshness reads as stale: a max-age that is not a number is 0, an Expires that is no
// date is in the past, of two values the first counts. Numbers above 2^31 read as 2^31 (1.2.2).
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "common/http/date.hpp"
#include "common/http/message.hpp"

namespace relay::http {

struct ResponseDirectives {
  bool no_store = false;
  bool no_cache = false;  // without field names; with them see no_cache_fields
  bool private_ = false;  // without field names; with them see private_fields
  bool public_ = false;
  bool must_revalidate = false;
  bool proxy_revalidate = false;
  bool must_understand = false;
  bool immutable = false;
  bool no_transform = false;
  std::optional<Seconds> max_age;
  std::optional<Seconds> s_maxage;
  std::optional<Seconds> stale_while_revalidate;
  std::optional<Seconds> stale_if_error;
  /// no-cache="a, b" and private="a": these fields must not be reused or stored.
  std::vector<std::string> no_cache_fields;
  std::vector<std::string> private_fields;
  /// Expires; at most one of the two is set. `expired`: the field was there but is no date.
  std::optional<DateTime> expires;
  bool expired = false;
  /// A targeted field (RFC 9213, or Surrogate-Control) was used in place of Cache-Control and
  /// Expires.
  bool targeted = false;

  bool operator==(const ResponseDirectives&) const = default;
};

/// Applies RFC 9213 2.1: the first of Torchrelay-CDN-Cache-Control and CDN-Cache-Control that is
/// there, not empty and a valid Structured Field replaces Cache-Control and Expires; one that is
/// not valid is as if it were not there. Behind these two, Surrogate-Control does the same
/// (http/surrogate_control).
ResponseDirectives read_response_directives(Fields response);

struct RequestDirectives {
  bool no_cache = false;  // also "Pragma: no-cache" when there is no Cache-Control
  bool no_store = false;
  bool only_if_cached = false;
  bool no_transform = false;
  std::optional<Seconds> max_age;
  /// max-stale: nullopt when not asked; Seconds::max() for "however stale".
  std::optional<Seconds> max_stale;
  std::optional<Seconds> min_fresh;

  bool operator==(const RequestDirectives&) const = default;
};

RequestDirectives read_request_directives(Fields request);

/// delta-seconds of RFC 9111 1.2.2: digits only; nullopt when it is no number, and what does not
/// fit is the longest time.
std::optional<Seconds> read_delta_seconds(std::string_view digits);

/// Age (RFC 9111 5.1): the first value of the first field; nullopt when absent or no number.
std::optional<Seconds> read_age(Fields response);

}  // namespace relay::http
