// Conditional requests (RFC 9110 8.8.3, 13). Pure.
#pragma once

#include <optional>
#include <string_view>

#include "common/http/date.hpp"
#include "common/http/message.hpp"

namespace relay::http {

struct EntityTag {
  std::string_view opaque;  // with its quotes
  bool weak = false;
};

/// `"x"` or `W/"x"`; anything else is nullopt.
std::optional<EntityTag> read_entity_tag(std::string_view text);
/// Both strong and equal (8.8.3.2).
bool same_strongly(std::string_view a, std::string_view b);
/// Equal, weak or not.
bool same_weakly(std::string_view a, std::string_view b);

/// What a request may ask about. `etag` is the field's value, as sent.
struct Validators {
  std::optional<std::string_view> etag;
  std::optional<DateTime> last_modified;
  /// When the response was made (its Date): without Last-Modified If-Modified-Since compares with
  /// that (RFC 9111 4.3.2), and Last-Modified is a strong validator only when it is older
  /// (8.8.2.2). For caches; an origin leaves it out.
  std::optional<DateTime> generated = std::nullopt;
};

enum class Precondition { proceed, not_modified, failed };

/// Precedence of 13.2.2: If-Match, else If-Unmodified-Since; then If-None-Match, else
/// If-Modified-Since (GET and HEAD only). not_modified is answered 304, failed 412. `exists` says
/// whether there is a representation now (it decides "*"). If-Range is asked separately.
Precondition evaluate(Fields request, std::string_view method, const Validators& current,
                      bool exists = true);

/// The same with what a stored response carries (ETag, Last-Modified).
Precondition evaluate(Fields request, std::string_view method, Fields response);

/// Whether If-Range (13.1.5) lets the Range count: strong comparison only; a date must equal
/// a Last-Modified that is a strong validator.
bool if_range_holds(std::string_view if_range, const Validators& current);

/// ETag and Last-Modified of a response; an ETag that is none is left out.
Validators validators_of(Fields response);

}  // namespace relay::http
