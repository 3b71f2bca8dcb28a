#include "edge/freshness.hpp"

#include <gtest/gtest.h>

#include <ostream>

namespace relay::edge {

std::ostream& operator<<(std::ostream& out, Use use) {
  return out << static_cast<int>(use);
}

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Fields = std::vector<http::Field>;

// Sun, 06 Nov 1994 08:49:37 GMT, in milliseconds.
constexpr WallTime start{milliseconds{784111777000}};
constexpr http::Field date{"Date", "Sun, 06 Nov 1994 08:49:37 GMT"};

Freshness at_start(Fields response, int status = 200) {
  return freshness_of(status, response, start, start);
}

TEST(Freshness, lifetime_comes_from_the_first_source_that_speaks) {
  struct {
    int status;
    Fields response;
    std::int64_t seconds;
    bool is_explicit;
  } cases[] = {
      {200, {{"Cache-Control", "max-age=60"}}, 60, true},
      {200, {{"Cache-Control", "max-age=60, s-maxage=10"}}, 10, true},
      {200, {{"Cache-Control", "max-age=60"}, {"Expires", "0"}}, 60, true},
      {200, {date, {"Expires", "Sun, 06 Nov 1994 08:50:37 GMT"}}, 60, true},
      {200, {{"Expires", "Sun, 06 Nov 1994 08:50:37 GMT"}}, 60, true},
      {200, {date, {"Expires", "Sun, 06 Nov 1994 08:40:00 GMT"}}, 0, true},
      {200,
       {date, {"Expires", "soon"}, {"Last-Modified", "Sat, 05 Nov 1994 08:49:37 GMT"}},
       0,
       true},
      {200, {{"Cache-Control", "max-age=60"}, {"CDN-Cache-Control", "max-age=5"}}, 5, true},
      {200, {{"Cache-Control", "max-age=60"}, {"CDN-Cache-Control", "max-age=&"}}, 60, true},
      {200, {date, {"Last-Modified", "Sun, 06 Nov 1994 08:32:57 GMT"}}, 100, false},
      {200, {date, {"Last-Modified", "Sun, 06 Nov 1904 08:32:57 GMT"}}, 86400, false},
      {200, {date, {"Last-Modified", "Sun, 06 Nov 1994 08:59:37 GMT"}}, 0, false},
      {302, {date, {"Last-Modified", "Sun, 06 Nov 1994 08:32:57 GMT"}}, 0, false},
      {302,
       {date, {"Last-Modified", "Sun, 06 Nov 1994 08:32:57 GMT"}, {"Cache-Control", "public"}},
       100,
       false},
      {200,
       {date, {"Last-Modified", "Sun, 06 Nov 1994 08:32:57 GMT"}, {"Set-Cookie", "a=b"}},
       0,
       false},
      {200, {}, 0, false},
  };
  for (const auto& c : cases) {
    auto freshness = at_start(c.response, c.status);
    EXPECT_EQ(freshness.lifetime, seconds(c.seconds)) << c.response.back().value;
    EXPECT_EQ(freshness.explicit_lifetime, c.is_explicit) << c.response.back().value;
  }
}

TEST(Freshness, age_counts_the_hops_before_the_delay_and_the_time_here) {
  struct {
    Fields response;
    std::int64_t delay_s, here_s, age_s;
  } cases[] = {
      {{date}, 0, 0, 0},
      {{date}, 0, 7, 7},
      {{date, {"Age", "30"}}, 0, 7, 37},
      {{date, {"Age", "30"}}, 2, 7, 39},
      {{{"Date", "Sun, 06 Nov 1994 08:48:37 GMT"}}, 0, 7, 67},
      {{{"Date", "Sun, 06 Nov 1994 08:48:37 GMT"}, {"Age", "70"}}, 0, 7, 77},
      {{{"Date", "Sun, 06 Nov 1994 09:48:37 GMT"}}, 0, 7, 7},
      {{{"Age", "x"}}, 0, 7, 7},
      {{date}, 0, -7, 0},
  };
  for (const auto& c : cases) {
    auto freshness = freshness_of(200, c.response, start - seconds(c.delay_s), start);
    EXPECT_EQ(age_of(freshness, start + seconds(c.here_s)), seconds(c.age_s))
        << c.response.back().value << " " << c.delay_s << " " << c.here_s;
  }
}

TEST(Freshness, what_may_be_stored) {
  const Fields none;
  const Fields key = {{"Authorization", "Bearer k"}};
  constexpr http::Field cookie{"Set-Cookie", "session=1"};
  struct {
    std::string_view method;
    int status;
    Fields request, response;
    std::string_view reason;
  } cases[] = {
      {"GET", 200, none, {{"Cache-Control", "max-age=1"}}, ""},
      {"HEAD", 200, none, {{"Cache-Control", "max-age=1"}}, "method"},
      {"PUT", 200, none, {{"Cache-Control", "max-age=1"}}, "method"},
      {"POST", 200, none, {{"Cache-Control", "max-age=1"}}, ""},
      {"POST", 201, none, {{"Cache-Control", "max-age=1"}}, "status"},
      {"POST", 200, none, {{"ETag", "\"a\""}}, "status-without-lifetime"},
      {"GET", 206, none, {{"Cache-Control", "max-age=1"}}, "status"},
      {"GET", 304, none, {{"Cache-Control", "max-age=1"}}, "status"},
      {"GET", 103, none, {{"Cache-Control", "max-age=1"}}, "status"},
      {"GET", 599, none, {{"Cache-Control", "max-age=1"}}, ""},
      {"GET", 599, none, {{"Cache-Control", "max-age=1, must-understand"}}, "must-understand"},
      {"GET", 200, none, {{"Cache-Control", "max-age=1, no-store, must-understand"}}, ""},
      {"GET", 200, none, {{"Cache-Control", "max-age=1, no-store"}}, "no-store"},
      {"GET", 200, none, {{"Cache-Control", "max-age=1, private"}}, "private"},
      {"GET", 200, none, {{"Cache-Control", "max-age=1, private=\"foo\""}}, ""},
      {"GET", 200, none, {{"Cache-Control", "no-store"}, {"CDN-Cache-Control", "max-age=1"}}, ""},
      {"GET",
       200,
       {{"Cache-Control", "no-store"}},
       {{"Cache-Control", "max-age=1"}},
       "request-no-store"},
      {"GET", 200, key, {{"Cache-Control", "max-age=1"}}, "authorization"},
      {"GET", 200, key, {{"Cache-Control", "max-age=1, public"}}, ""},
      {"GET", 200, key, {{"Cache-Control", "s-maxage=1"}}, ""},
      {"GET", 200, key, {{"Cache-Control", "max-age=1, must-revalidate"}}, ""},
      {"GET", 200, none, {{"Cache-Control", "max-age=1"}, {"Vary", "a, *"}}, "vary"},
      {"GET", 200, none, {{"Cache-Control", "max-age=1"}, {"Vary", "a"}}, ""},
      {"GET", 200, none, none, "no-lifetime"},
      {"GET", 200, none, {{"ETag", "\"a\""}}, ""},
      {"GET", 200, none, {{"Cache-Control", "no-cache"}, {"ETag", "\"a\""}}, ""},
      {"GET", 200, none, {{"Cache-Control", "max-age=0"}}, "no-lifetime"},
      {"GET", 200, none, {{"Cache-Control", "max-age=0, stale-while-revalidate=9"}}, ""},
      {"GET", 200, none, {date, {"Expires", "Sun, 06 Nov 1994 08:49:38 GMT"}}, ""},
      {"GET", 503, none, {{"ETag", "\"a\""}}, "status-without-lifetime"},
      {"GET", 404, none, {{"Cache-Control", "max-age=1"}}, ""},
      {"GET", 200, none, {cookie, {"Cache-Control", "max-age=1"}}, ""},
      {"GET", 200, none, {cookie, {"ETag", "\"a\""}}, "set-cookie"},
      {"GET", 200, none, {cookie, {"ETag", "\"a\""}, {"Cache-Control", "no-cache"}}, "set-cookie"},
      {"GET", 200, none, {cookie, {"ETag", "\"a\""}, {"Cache-Control", "max-age=0"}}, "set-cookie"},
      {"GET",
       200,
       none,
       {cookie, {"ETag", "\"a\""}, {"Cache-Control", "max-age=1, no-cache"}},
       "set-cookie"},
      {"GET",
       200,
       none,
       {cookie, {"ETag", "\"a\""}, {"Cache-Control", "no-cache=\"set-cookie\""}},
       ""},
  };
  for (const auto& c : cases) {
    auto storable = may_store(c.method, c.status, c.request, c.response);
    EXPECT_EQ(storable.reason, c.reason) << c.method << " " << c.status;
    EXPECT_EQ(storable.yes, c.reason.empty()) << c.method << " " << c.status;
  }
}

TEST(Freshness, a_part_is_stored_under_the_rules_of_a_200) {
  const Fields none;
  EXPECT_TRUE(may_store_part(none, Fields{{"Cache-Control", "max-age=1"}}).yes);
  EXPECT_EQ(may_store_part(none, Fields{{"Cache-Control", "no-store"}}).reason, "no-store");
  EXPECT_EQ(may_store_part(none, none).reason, "no-lifetime");
}

TEST(Freshness, what_a_request_gets_at_an_age) {
  struct {
    std::string_view response, request;
    std::int64_t age_s;
    Use use;
    bool by_request;
  } cases[] = {
      {"max-age=10", "", 9, Use::fresh, false},
      {"max-age=10", "", 10, Use::revalidate, false},
      {"max-age=10, no-cache", "", 1, Use::revalidate, false},
      {"max-age=10, stale-while-revalidate=5", "", 15, Use::stale_revalidate, false},
      {"max-age=10, stale-while-revalidate=5", "", 16, Use::revalidate, false},
      {"max-age=10, stale-while-revalidate=5", "no-cache", 12, Use::revalidate, false},
      {"max-age=10, stale-while-revalidate=5, must-revalidate", "", 12, Use::revalidate, false},
      {"s-maxage=10, stale-while-revalidate=5", "", 12, Use::revalidate, false},
      {"max-age=10, stale-while-revalidate=5, proxy-revalidate", "", 12, Use::revalidate, false},
      {"max-age=10", "no-cache", 1, Use::revalidate, true},
      {"max-age=10", "max-age=3", 3, Use::fresh, false},
      {"max-age=10", "max-age=3", 4, Use::revalidate, true},
      {"max-age=10", "min-fresh=5", 5, Use::fresh, false},
      {"max-age=10", "min-fresh=5", 6, Use::revalidate, true},
      {"max-age=10, stale-while-revalidate=5", "max-age=60", 15, Use::revalidate, false},
      {"max-age=10, stale-while-revalidate=5", "max-age=60, max-stale", 15, Use::stale_revalidate,
       false},
      {"max-age=10", "max-stale=5", 15, Use::stale_revalidate, false},
      {"max-age=10", "max-stale=5", 16, Use::revalidate, false},
      {"max-age=10", "max-stale", 9999, Use::stale_revalidate, false},
      {"max-age=10, must-revalidate", "max-stale", 11, Use::revalidate, false},
  };
  for (const auto& c : cases) {
    auto freshness = at_start({{"Cache-Control", c.response}});
    Fields request = {{"Cache-Control", c.request}};
    auto judgement =
        judge(freshness, http::read_request_directives(request), start + seconds(c.age_s));
    EXPECT_EQ(judgement.use, c.use) << c.response << " / " << c.request << " at " << c.age_s;
    EXPECT_EQ(judgement.by_request, c.by_request) << c.response << " / " << c.request;
    EXPECT_EQ(judgement.age, seconds(c.age_s));
  }
  EXPECT_EQ(judge(at_start({{"Cache-Control", "max-age=10"}}), {}, start + seconds(12)).ttl,
            seconds(-2));
}

TEST(Freshness, what_may_stand_in_while_upstream_fails) {
  struct {
    std::string_view response;
    std::int64_t stale_s, grace_s;
    bool may;
  } cases[] = {
      {"max-age=10", 60, 60, true},
      {"max-age=10", 61, 60, false},
      {"max-age=10, stale-if-error=100", 100, 0, true},
      {"max-age=10, stale-if-error=5", 6, 60, false},
      {"max-age=10, must-revalidate", 1, 60, false},
      {"max-age=10, proxy-revalidate", 1, 60, false},
      {"s-maxage=10", 1, 60, false},
      {"max-age=10, no-cache", 1, 60, false},
  };
  for (const auto& c : cases) {
    auto freshness = at_start({{"Cache-Control", c.response}});
    auto now = start + seconds(10 + c.stale_s);
    EXPECT_EQ(may_serve_stale_on_error(freshness, now, seconds(c.grace_s)), c.may) << c.response;
  }
  for (int status : {500, 502, 503, 504}) EXPECT_TRUE(is_upstream_failure(status)) << status;
  for (int status : {200, 404, 501, 505}) EXPECT_FALSE(is_upstream_failure(status)) << status;
}

TEST(MayKeepAbsence, is_for_what_is_not_there_and_says_no_more) {
  auto may = [](int status, Fields response, Fields request = {}) {
    return may_keep_absence(status, request, response);
  };
  EXPECT_TRUE(may(404, {}));
  EXPECT_TRUE(may(410, {date, {"ETag", "\"1\""}, {"Cache-Control", "public"}}));
  EXPECT_TRUE(may(404, {{"Vary", "Accept"}}));
  for (int status : {200, 301, 400, 403, 405, 414, 500, 501, 503}) {
    EXPECT_FALSE(may(status, {})) << status;
  }
  for (const char* said : {"no-store", "private", "no-cache", "max-age=0", "s-maxage=9"}) {
    EXPECT_FALSE(may(404, {{"Cache-Control", said}})) << said;
  }
  EXPECT_FALSE(may(404, {{"Expires", "0"}}));
  EXPECT_FALSE(may(404, {{"Set-Cookie", "a=b"}}));
  EXPECT_FALSE(may(404, {{"Vary", "*"}}));
  EXPECT_FALSE(may(404, {date, {"Last-Modified", "Sun, 06 Nov 1994 08:32:57 GMT"}}));
  EXPECT_FALSE(may(404, {}, {{"Authorization", "Bearer x"}}));
  EXPECT_FALSE(may(404, {}, {{"Cookie", "a=b"}}));
  EXPECT_FALSE(may(404, {}, {{"Cache-Control", "no-store"}}));
}

}  // namespace
}  // namespace relay::edge
