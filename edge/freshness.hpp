// May this response be kept, and may what is kept be used? RFC 9111 sections 3 and 4, RFC 5861
// (stale-while-revalidate, stale-if-error), RFC 9213 (CDN-Cache-Control in front of
// Cache-Control). Pure: values and `now` in, decisions out.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "common/base/clock.hpp"
#include "common/http/cache_control.hpp"
#include "common/http/message.hpp"

namespace relay::edge {

/// What a stored response's fields say about its use; computed once when it is stored or
/// refreshed, so that a hit costs a few comparisons.
struct Freshness {
  std::chrono::milliseconds lifetime{0};     // RFC 9111 4.2.1
  std::chrono::milliseconds initial_age{0};  // corrected_initial_age of 4.2.3
  WallTime response_time{};                  // when the head arrived
  std::optional<std::chrono::milliseconds> stale_while_revalidate;
  std::optional<std::chrono::milliseconds> stale_if_error;
  bool explicit_lifetime = false;  // said by the origin, not guessed from Last-Modified
  bool never_stale = false;        // must-revalidate, proxy-revalidate, s-maxage or no-cache
  bool no_cache = false;           // each use wants a validation first
};

/// Lifetime (4.2.1): s-maxage, else max-age, else Expires less Date, else for statuses that allow
/// it a tenth of the time since Last-Modified, a day at most. `request_time` is when the request
/// for it went out (RFC 9111 4.2.3).
Freshness freshness_of(int status, http::Fields response, WallTime request_time,
                       WallTime response_time);

/// current_age of RFC 9111 4.2.3; never negative.
std::chrono::milliseconds age_of(const Freshness& freshness, WallTime now);

/// `reason` is a literal for logs: "no-store", "private", "authorization", …; empty when yes.
struct Storable {
  bool yes = false;
  std::string_view reason;
};

/// RFC 9111 3 and 3.5, for a shared cache. A GET's answers are stored, but for 1xx, 206 and 304; a
/// POST's only when it is 200 with a lifetime that the origin names (that its Content-Location is
/// the target, RFC 9110 9.3.3, is the caller's to see). A response with neither a lifetime nor a
/// validator is not worth storing: "no-lifetime".
Storable may_store(std::string_view method, int status, http::Fields request,
                   http::Fields response);

/// The same for a 206, to be kept as a part (RFC 9111 3.3).
Storable may_store_part(http::Fields request, http::Fields response);

/// Authorization or a cookie: an origin that says nothing else may have answered them alone.
bool has_credentials(http::Fields request);

/// A 404 or 410 that says nothing of its lifetime, nor against being shared: how long it may be
/// used is a guess that the operator makes (RFC 9111 4.2.2, cache.negative). Not to a request with
/// credentials: the same name may be there for others.
bool may_keep_absence(int status, http::Fields request, http::Fields response);

enum class Use {
  fresh,             // serve it
  stale_revalidate,  // serve it now and refresh it once beside (RFC 5861 3)
  revalidate,        // ask upstream first, with its validators
};

struct Judgement {
  Use use = Use::revalidate;
  std::chrono::milliseconds age{0};  // Age is this in whole seconds, rounded down
  std::chrono::milliseconds ttl{0};  // lifetime left; negative once stale (RFC 9211 2.4)
  bool by_request = false;           // fresh, but the request's own directives do not want it
};

/// A request's no-cache, max-age, min-fresh and max-stale are obeyed; max-stale never beyond
/// never_stale. Pass empty directives to leave them aside (Settings::client_directives).
Judgement judge(const Freshness& freshness, const http::RequestDirectives& request, WallTime now);

/// Whether the stored response may stand in when upstream gave no answer, or 500, 502, 503 or
/// 504 (RFC 5861 4). `grace` is the operator's window for responses that do not name one
/// (RFC 9111 4.2.4 allows it while disconnected). Never where never_stale holds.
bool may_serve_stale_on_error(const Freshness& freshness, WallTime now,
                              std::chrono::milliseconds grace);

/// Nothing is there, and something may be any moment: 404 and 410.
bool is_absence(int status);

/// The statuses that stale-if-error covers.
bool is_upstream_failure(int status);

}  // namespace relay::edge
