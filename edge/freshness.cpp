#include "edge/freshness.hpp"

#include <algorithm>
#include <array>

#include "common/http/date.hpp"
#include "common/http/trail.hpp"
#include "edge/cache_key.hpp"

namespace relay::edge {
namespace {

using std::chrono::milliseconds;
using Directives = http::ResponseDirectives;

/// RFC 9110 15.1; without 206, which is not stored.
constexpr std::array heuristic_statuses = {200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501};
constexpr milliseconds heuristic_lifetime_max = std::chrono::hours{24};

bool allows_heuristics(int status, const Directives& directives) {
  return directives.public_ ||
         std::ranges::find(heuristic_statuses, status) != heuristic_statuses.end();
}

http::DateTime date_of(http::Fields response, WallTime response_time) {
  auto text = http::find(response, "Date");
  auto date = text ? http::read_date(*text) : std::nullopt;
  return date ? *date : std::chrono::floor<std::chrono::seconds>(response_time);
}

struct Lifetime {
  milliseconds length{0};
  bool is_explicit = false;
};

Lifetime explicit_lifetime(milliseconds length) {
  return {std::max(length, milliseconds{0}), true};
}

/// A response that sets a cookie is never kept on a guess.
Lifetime guess_lifetime(int status, http::Fields response, const Directives& directives,
                        http::DateTime date) {
  if (!allows_heuristics(status, directives) || http::find(response, "Set-Cookie")) return {};
  auto text = http::find(response, "Last-Modified");
  auto modified = text ? http::read_date(*text) : std::nullopt;
  if (!modified || *modified >= date) return {};
  milliseconds tenth = milliseconds(date - *modified) / 10;
  return {std::min(tenth, heuristic_lifetime_max), false};
}

Lifetime lifetime_of(int status, http::Fields response, const Directives& directives,
                     WallTime response_time) {
  if (directives.s_maxage) return explicit_lifetime(*directives.s_maxage);
  if (directives.max_age) return explicit_lifetime(*directives.max_age);
  if (directives.expired) return explicit_lifetime(milliseconds{0});
  http::DateTime date = date_of(response, response_time);
  if (directives.expires) return explicit_lifetime(*directives.expires - date);
  return guess_lifetime(status, response, directives, date);
}

bool has_validator(http::Fields response) {
  return http::find(response, "ETag") || http::find(response, "Last-Modified");
}

/// The rules of RFC 9111 3 that speak of directives; empty when they allow it.
std::string_view refusal(const Directives& directives, http::Fields request, int status) {
  bool understood = http::reason_phrase(status) != "Unknown";
  if (directives.must_understand && !understood) return "must-understand";
  if (directives.no_store && !directives.must_understand) return "no-store";
  if (directives.private_) return "private";
  if (http::read_request_directives(request).no_store) return "request-no-store";
  bool shared = directives.public_ || directives.s_maxage || directives.must_revalidate;
  if (http::find(request, "Authorization") && !shared) return "authorization";
  return {};
}

/// Whether it sets a cookie without saying that it is for everybody all the same: a lifetime that
/// the origin wrote down is such a word, a validator is none.
bool is_for_one_visitor(http::Fields response, const Directives& directives,
                        const Lifetime& lifetime) {
  if (!http::find(response, "Set-Cookie")) return false;
  bool for_all = lifetime.is_explicit && lifetime.length.count() > 0 && !directives.no_cache;
  auto names_cookie = [](const std::string& name) { return http::same_name(name, "Set-Cookie"); };
  bool left_out = std::ranges::any_of(directives.private_fields, names_cookie) ||
                  std::ranges::any_of(directives.no_cache_fields, names_cookie);
  return !for_all && !left_out;
}

/// What does not depend on the method, nor on whether the response is whole.
Storable judge_fields(int status, http::Fields request, http::Fields response,
                      bool wants_explicit) {
  Directives directives = http::read_response_directives(response);
  if (auto reason = refusal(directives, request, status); !reason.empty()) return {false, reason};
  if (!vary_names(response)) return {false, "vary"};
  auto now = date_of(response, WallTime{});
  Lifetime lifetime = lifetime_of(status, response, directives, now);
  if (!lifetime.is_explicit && (wants_explicit || !allows_heuristics(status, directives))) {
    return {false, "status-without-lifetime"};
  }
  if (is_for_one_visitor(response, directives, lifetime)) return {false, "set-cookie"};
  bool useful = lifetime.length.count() > 0 || directives.stale_while_revalidate ||
                directives.stale_if_error || has_validator(response);
  return useful ? Storable{true, {}} : Storable{false, "no-lifetime"};
}

/// What a request's max-age and min-fresh (RFC 9111 5.2.1) say about a response. Who says max-age
/// without max-stale wants nothing stale.
bool wants_fresher(const http::RequestDirectives& request, milliseconds age, milliseconds ttl) {
  if (request.no_cache) return true;
  if (request.max_age && !request.max_stale && ttl.count() <= 0) return true;
  if (request.max_age && age > *request.max_age) return true;
  return request.min_fresh && ttl < *request.min_fresh;
}

bool accepts_stale(const http::RequestDirectives& request, milliseconds staleness) {
  if (!request.max_stale) return false;
  return *request.max_stale == http::Seconds::max() || staleness <= *request.max_stale;
}

}  // namespace

Freshness freshness_of(int status, http::Fields response, WallTime request_time,
                       WallTime response_time) {
  Directives directives = http::read_response_directives(response);
  Lifetime lifetime = lifetime_of(status, response, directives, response_time);
  Freshness out;
  out.lifetime = lifetime.length;
  out.explicit_lifetime = lifetime.is_explicit;
  milliseconds apparent = response_time - date_of(response, response_time);
  milliseconds delay = std::max(response_time - request_time, milliseconds{0});
  milliseconds corrected = http::read_age(response).value_or(http::Seconds{0}) + delay;
  // Dates have whole seconds: less than one of apparent age is no age.
  out.initial_age =
      std::max(milliseconds(std::chrono::floor<std::chrono::seconds>(apparent)), corrected);
  out.response_time = response_time;
  out.stale_while_revalidate = directives.stale_while_revalidate;
  out.stale_if_error = directives.stale_if_error;
  out.no_cache = directives.no_cache;
  out.never_stale = directives.must_revalidate || directives.proxy_revalidate ||
                    directives.s_maxage || directives.no_cache;
  return out;
}

milliseconds age_of(const Freshness& freshness, WallTime now) {
  return freshness.initial_age + std::max(now - freshness.response_time, milliseconds{0});
}

Storable may_store(std::string_view method, int status, http::Fields request,
                   http::Fields response) {
  bool post = method == "POST";
  if (method != "GET" && !post) return {false, "method"};
  bool storable = post ? status == 200 : status >= 200 && status != 206 && status != 304;
  if (!storable) return {false, "status"};
  return judge_fields(status, request, response, post);
}

Storable may_store_part(http::Fields request, http::Fields response) {
  return judge_fields(200, request, response, false);
}

bool has_credentials(http::Fields request) {
  return http::find(request, "Authorization") || http::find(request, "Cookie");
}

bool may_keep_absence(int status, http::Fields request, http::Fields response) {
  if (!is_absence(status) || has_credentials(request)) return false;
  if (http::find(response, "Set-Cookie")) return false;
  Directives directives = http::read_response_directives(response);
  bool shareable = refusal(directives, request, status).empty() && vary_names(response);
  if (!shareable || directives.no_cache) return false;
  Lifetime told = lifetime_of(status, response, directives, date_of(response, WallTime{}));
  return !told.is_explicit && told.length.count() == 0;
}

Judgement judge(const Freshness& freshness, const http::RequestDirectives& request, WallTime now) {
  Judgement out;
  out.age = age_of(freshness, now);
  out.ttl = freshness.lifetime - out.age;
  if (freshness.no_cache) return out;
  bool fresh = out.ttl.count() > 0;
  if (wants_fresher(request, out.age, out.ttl)) {
    out.by_request = fresh;
    return out;
  }
  if (fresh) {
    out.use = Use::fresh;
  } else if (!freshness.never_stale) {
    bool in_window =
        freshness.stale_while_revalidate && -out.ttl <= *freshness.stale_while_revalidate;
    if (in_window || accepts_stale(request, -out.ttl)) out.use = Use::stale_revalidate;
  }
  return out;
}

bool may_serve_stale_on_error(const Freshness& freshness, WallTime now, milliseconds grace) {
  if (freshness.never_stale) return false;
  milliseconds staleness = age_of(freshness, now) - freshness.lifetime;
  return staleness <= freshness.stale_if_error.value_or(grace);
}

bool is_absence(int status) {
  return status == 404 || status == 410;
}

bool is_upstream_failure(int status) {
  return status == 500 || (status >= 502 && status <= 504);
}

}  // namespace relay::edge
