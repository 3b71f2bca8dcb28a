// A stored response: what the cache keeps in Object::head(), and its form there. Pure.
//
// Immutable once made and shared between threads: the edge parses Object::head() once and keeps
// the StoredResponse beside the object. A hit then copies `head_text`, adds Content-Length, Age
// and Cache-Status, and is done.
//
// A primary key whose response varies holds an object of kind `variants` with no body: it only
// names the request fields that choose; the responses themselves stand under secondary keys.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/error.hpp"
#include "common/http/message.hpp"
#include "edge/freshness.hpp"
#include "edge/hls/kind.hpp"

namespace relay::edge {

enum class StoredKind {
  response,
  variants,
  part,   // of a body; stands under a key of its own (edge/part)
  alias,  // no body either: names the key of the response that it stands for
};

struct StoredResponse {
  StoredKind kind = StoredKind::response;
  int status = 200;
  /// "HTTP/1.1 200 OK\r\n" and the end-to-end fields, each with CRLF; without Content-Length,
  /// Age, Cache-Status, hop-by-hop fields and the empty line. Date is the origin's (or the time
  /// it arrived, where the origin sent none).
  std::string head_text;
  std::size_t fields_at = 0;  // where the field lines begin in head_text
  /// "HTTP/1.1 304 Not Modified\r\n" and the fields that RFC 9110 15.4.5 wants in it, with the
  /// CORS fields. Empty unless status is 200.
  std::string not_modified_text;

  WallTime request_time{};
  WallTime response_time{};
  Freshness freshness;
  std::optional<WallTime> stale_from;  // of a soft purge
  std::uint64_t sliced_bytes = 0;      // of a body that is kept by slices; 0: here, whole
  std::uint64_t purge_sequence = 0;    // of the PurgeLog, when its fetch began

  std::string etag;           // as sent, with quotes and W/
  std::string last_modified;  // as sent
  std::string content_type;
  hls::Kind media = hls::Kind::other;   // set by those who know the key; not in the stored form
  bool absence = false;                 // for edge/absences; not in the stored form
  std::vector<std::string> vary;        // names, lower case, sorted
  std::string language;                 // of Content-Language, lower case, if it names just one
  std::string asked_range;              // of a part: the Range that it answered
  std::string alias_of;                 // of an alias
  std::vector<std::string> cache_tags;  // of Cache-Tag and Surrogate-Key

  std::string_view field_lines() const { return std::string_view(head_text).substr(fields_at); }
  /// Views into head_text; valid as long as this object stays where it is and unchanged.
  std::vector<http::Field> fields() const;
};

/// Whether it is an answer with a lifetime of its own, which a soft purge can end; the others only
/// lead to answers.
bool has_lifetime(const StoredResponse& stored);

/// From a response that may_store() allowed. Vary with "*" must not get here.
StoredResponse make_stored(int status, http::Fields response, WallTime request_time,
                           WallTime response_time);

/// The fields that make_stored() leaves out because private or no-cache names them (RFC
/// 9111 5.2.2.4, 5.2.2.7): they are for the client that asked, and for nobody after it.
http::Headers fields_for_first(http::Fields response);

/// The object for a primary key whose response varies by these names.
StoredResponse make_variants(std::vector<std::string> names, WallTime now);

/// The object for a key that stands for another one.
StoredResponse make_alias(std::string key, WallTime now);

/// The stored form, versioned text; decode(encode(x)) equals x. decode's errors: corrupt (disk):
/// treat as a miss.
std::string encode(const StoredResponse& stored);
Result<StoredResponse> decode(std::string_view text);
/// Only StoredResponse::purge_sequence; nothing when the text is not a stored form.
std::optional<std::uint64_t> purge_sequence_of(std::string_view text);

/// Whether a 304 speaks of this stored response (RFC 9111 4.3.4): its validator, if it has one,
/// is the stored one. A strong one does not speak of what is kept under the weak form of it.
bool confirms(const StoredResponse& stored, http::Fields not_modified);

/// Whether the head of a 200 to HEAD is that of this stored response (RFC 9111 4.3.5): the same
/// validators, and the same length where it tells one.
bool is_head_of(const StoredResponse& stored, std::uint64_t body_bytes, http::Fields head);

/// The stored response with the fields of a 304 put in, its times anew. Hop-by-hop fields and those
/// that describe the stored bytes (length, coding, digests, ETag) stay out (RFC 9111 3.2).
StoredResponse refresh(const StoredResponse& stored, http::Fields not_modified,
                       WallTime request_time, WallTime response_time);

/// After a soft purge: its lifetime ends at `now`; it may still be revalidated, or stand in for as
/// long as its directives allow.
StoredResponse mark_stale(const StoredResponse& stored, WallTime now);

/// Whether it can be validated.
bool has_validator(const StoredResponse& stored);

/// Adds If-None-Match and If-Modified-Since of the stored validators.
void add_validators(const StoredResponse& stored, http::Headers& request);

}  // namespace relay::edge
