// Which requests are for the same object. Pure.
//
// The primary key of a request is its normalised target, "/path?query", without what says
// something about the viewer only (CMCD), and preceded by the host where the host counts:
// "host/path?query". A variant (a response with Vary) has the secondary key
// "primary\nname=value\nname=value". Neither a target nor a host can hold "\n", so every key of
// an object begins with its primary key and key_target() finds the way back.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.hpp"
#include "common/http/message.hpp"

namespace relay::edge {

struct KeyedTarget {
  std::string key;     // primary key
  std::string target;  // what is asked upstream: the same path and query as in the key
};

/// `target` is a request's origin-form target; `host` counts only when `key_host` is set. GET and
/// HEAD share keys; other methods are not looked up but have the key that they invalidate
/// (RFC 9111 4.4). Errors: invalid (a path that climbs above its root, broken escapes, a NUL).
Result<KeyedTarget> key_target(std::string_view target, std::string_view host, bool key_host);

/// "/a?CMCD=br%3D1&b=2" becomes "/a?b=2". Only the query key `CMCD`, in any case (CTA-5004).
std::string without_cmcd(std::string_view target);

/// The names in a response's Vary fields, lower case, sorted, each once. nullopt: there is a "*"
/// somewhere, so no request ever matches (RFC 9111 4.1). Empty: no Vary.
std::optional<std::vector<std::string>> vary_names(http::Fields response);

/// The value that counts for matching: all lines of that field joined, white space around list
/// members taken away; of Accept and its kin the normal spelling (http/negotiate). An absent field
/// and an empty one differ (RFC 9111 4.1: absent matches absent only); absent is "\x01" here, a
/// byte that no field value holds.
std::string vary_value(http::Fields request, std::string_view name);

/// The key of the variant that this request selects; `names` from vary_names(). With no names it
/// is the primary key.
std::string secondary_key(std::string_view primary, std::span<const std::string> names,
                          http::Fields request);

/// Whether one of the names is Accept-Language.
bool chooses_language(std::span<const std::string> names);

/// The key of "the variant in that language": like secondary_key(), but for Accept-Language. An
/// origin that has a language gives it to whoever wants that one above all, so a variant in it
/// may answer other spellings of the wish too (RFC 9111 4.1, preference by qvalues).
std::string language_key(std::string_view primary, std::span<const std::string> names,
                         http::Fields request, std::string_view language);

/// The key under which FlightTable remembers that answers to such requests can't be shared. Those
/// with Authorization stand apart: what is not for others with it may well be without.
std::string sharing_key(std::string_view key, http::Fields request);

/// The key under which it remembers that upstream failed when it was asked whether a stale copy is
/// good still: for that moment the copy stands in at once. `purge_sequence` is of the flight that
/// asked: what was purged softly since then is asked about.
std::string failed_key(std::string_view key, std::uint64_t purge_sequence);
/// The same of an answer that was no failure, and nothing to put in the copy's place either: it is
/// not refreshed beside for that moment.
std::string refused_key(std::string_view key, std::uint64_t purge_sequence);

/// The primary key at the front of any key.
std::string_view primary_of(std::string_view key);

}  // namespace relay::edge
