// Directives of requests and responses, Expires, Age, and the targeted fields.
#include "common/http/cache_control.hpp"

#include <gtest/gtest.h>

namespace relay::http {
namespace {

using std::optional;

ResponseDirectives of(std::string_view cache_control) {
  return read_response_directives(Headers{{"Cache-Control", cache_control}});
}

TEST(ResponseDirectives, Flags) {
  auto d =
      of("No-Store, PUBLIC , must-revalidate,proxy-revalidate, must-understand, immutable,"
         "no-transform, unknown, x=y");
  EXPECT_TRUE(d.no_store && d.public_ && d.must_revalidate && d.proxy_revalidate &&
              d.must_understand && d.immutable && d.no_transform);
  EXPECT_FALSE(d.no_cache || d.private_ || d.targeted || d.expired);
  EXPECT_EQ(read_response_directives({}), ResponseDirectives{});
}

TEST(ResponseDirectives, MaxAge) {
  struct {
    const char* text;
    optional<Seconds> max_age;
  } const cases[] = {
      {"max-age=3600", Seconds(3600)},
      {"MaX-aGe=3600", Seconds(3600)},
      {"max-age=003600", Seconds(3600)},
      {"max-age=\"3600\"", Seconds(3600)},
      {"max-age=2147483648", Seconds(2147483648)},
      {"max-age=99999999999", Seconds(2147483648)},
      {"max-age=99999999999999999999999", Seconds(2147483648)},
      {"max-age=1800, max-age=1", Seconds(1800)},
      {"max-age=1, max-age=1800", Seconds(1)},
      {"extension=\"max-age=3600\", max-age=1", Seconds(1)},
      {"max-age=1, extension=\"max-age=3600\"", Seconds(1)},
      {"extension=\"a, max-age=3600\"", std::nullopt},
      {"max-age='3600'", Seconds(0)},
      {"max-age =3600", Seconds(0)},
      {"max-age= 3600", Seconds(0)},
      {"max-age=3600.0", Seconds(0)},
      {"max-age=a3600", Seconds(0)},
      {"max-age=3600a", Seconds(0)},
      {"max-age=-1", Seconds(0)},
      {"max-age=", Seconds(0)},
      {"max-age", Seconds(0)},
      {"xmax-age=3600", std::nullopt},
      {"s-maxage=3600", std::nullopt},
      {"", std::nullopt},
  };
  for (const auto& c : cases) EXPECT_EQ(of(c.text).max_age, c.max_age) << c.text;
}

TEST(ResponseDirectives, OtherTimes) {
  auto d = of("s-maxage=5, stale-while-revalidate=10, stale-if-error=20");
  EXPECT_EQ(d.s_maxage, Seconds(5));
  EXPECT_EQ(d.stale_while_revalidate, Seconds(10));
  EXPECT_EQ(d.stale_if_error, Seconds(20));
  d = of("s-maxage=x, stale-while-revalidate=x, stale-if-error");
  EXPECT_EQ(d.s_maxage, Seconds(0));
  EXPECT_EQ(d.stale_while_revalidate, std::nullopt);
  EXPECT_EQ(d.stale_if_error, std::nullopt);
}

TEST(ResponseDirectives, FieldNames) {
  auto d = of("no-cache=\"set-cookie, X-A\", private=\"authorization\"");
  EXPECT_FALSE(d.no_cache || d.private_);
  EXPECT_EQ(d.no_cache_fields, (std::vector<std::string>{"set-cookie", "X-A"}));
  EXPECT_EQ(d.private_fields, std::vector<std::string>{"authorization"});
  d = of("no-cache=\"a\", no-cache, private=\"\"");
  EXPECT_TRUE(d.no_cache && d.private_);
}

TEST(ResponseDirectives, SeveralFields) {
  auto d = read_response_directives(
      Headers{{"cache-control", "max-age=1800"}, {"Cache-Control", "no-store, max-age=1"}});
  EXPECT_EQ(d.max_age, Seconds(1800));
  EXPECT_TRUE(d.no_store);
}

TEST(ResponseDirectives, Expires) {
  auto d = read_response_directives(Headers{{"Expires", "Sun, 06 Nov 1994 08:49:37 GMT"}});
  EXPECT_EQ(d.expires, DateTime(Seconds(784111777)));
  EXPECT_FALSE(d.expired);
  for (const char* text : {"0", "", "Sun, 06 Nov 1994 8:49:37 GMT", "tomorrow"}) {
    d = read_response_directives(Headers{{"Expires", text}});
    EXPECT_FALSE(d.expires) << text;
    EXPECT_TRUE(d.expired) << text;
  }
  d = read_response_directives(Headers{{"Expires", "Sun, 06 Nov 1994 08:49:37 GMT"},
                                       {"Expires", "Sun, 06 Nov 1994 08:49:37 GMT"}});
  EXPECT_TRUE(d.expired);
}

ResponseDirectives targeted(std::string_view cdn, std::string_view ours = {}) {
  Headers headers{{"Cache-Control", "no-store"},
                  {"CDN-Cache-Control", cdn},
                  {"Expires", "Sun, 06 Nov 1994 08:49:37 GMT"}};
  if (!ours.empty()) headers.add("Torchrelay-CDN-Cache-Control", ours);
  return read_response_directives(headers);
}

TEST(TargetedFields, ReplaceCacheControlAndExpires) {
  auto d = targeted("max-age=99999999999, foobar, must-revalidate, public=?0, private=\"a\"");
  EXPECT_TRUE(d.targeted && d.must_revalidate);
  EXPECT_FALSE(d.no_store || d.expires || d.public_);
  EXPECT_EQ(d.max_age, Seconds(2147483648));
  EXPECT_EQ(d.private_fields, std::vector<std::string>{"a"});
  EXPECT_EQ(targeted("max-age=5, max-age=7").max_age, Seconds(7));  // a dictionary keeps the last
  EXPECT_TRUE(targeted("no-cache").no_cache);
  EXPECT_TRUE(targeted("private").private_);
}

TEST(TargetedFields, OursComesFirst) {
  EXPECT_EQ(targeted("max-age=5", "max-age=9").max_age, Seconds(9));
  EXPECT_EQ(targeted("max-age=5", "&&").max_age, Seconds(5));
}

TEST(TargetedFields, NotValidIsAsIfAbsent) {
  for (const char* text :
       {"", " ", "max-age=10000, &&&&&", "max-age=\"10000\"", "max-age=10000.5", "max-age",
        "max-age=-1", "max-age =100", "max-age= 100", "MaX-aGe=3600", "max-age=(1)"}) {
    auto d = targeted(text);
    EXPECT_TRUE(d.no_store && !d.targeted) << text;
    EXPECT_FALSE(d.max_age) << text;
  }
}

TEST(RequestDirectives, All) {
  auto d = read_request_directives(
      Headers{{"Cache-Control",
               "No-Cache, no-store, only-if-cached, max-age=5, min-fresh=6, max-stale=7"}});
  EXPECT_TRUE(d.no_cache && d.no_store && d.only_if_cached);
  EXPECT_EQ(d.max_age, Seconds(5));
  EXPECT_EQ(d.min_fresh, Seconds(6));
  EXPECT_EQ(d.max_stale, Seconds(7));
  d = read_request_directives(Headers{{"Cache-Control", "max-stale, max-age=x"}});
  EXPECT_EQ(d.max_stale, Seconds::max());
  EXPECT_EQ(d.max_age, std::nullopt);
}

TEST(RequestDirectives, PragmaOnlyWithoutCacheControl) {
  EXPECT_TRUE(read_request_directives(Headers{{"Pragma", "x, No-Cache"}}).no_cache);
  EXPECT_FALSE(read_request_directives(Headers{{"Pragma", "foo"}}).no_cache);
  EXPECT_FALSE(
      read_request_directives(Headers{{"Pragma", "no-cache"}, {"Cache-Control", "x"}}).no_cache);
}

TEST(Age, FirstNumberOrNothing) {
  struct {
    const char* text;
    optional<Seconds> age;
  } const cases[] = {
      {"0", Seconds(0)},
      {"7200", Seconds(7200)},
      {"7200, 0", Seconds(7200)},
      {"0, 7200", Seconds(0)},
      {"7200;foo=bar", Seconds(7200)},
      {"2147483649", Seconds(2147483648)},
      {"99999999999999999999", Seconds(2147483648)},
      {"abc", std::nullopt},
      {"-7200", std::nullopt},
      {"7200.0", std::nullopt},
      {"", std::nullopt},
  };
  for (const auto& c : cases) EXPECT_EQ(read_age(Headers{{"Age", c.text}}), c.age) << c.text;
  EXPECT_EQ(read_age(Headers{{"Age", "7200"}, {"Age", "0"}}), Seconds(7200));
  EXPECT_EQ(read_age(Headers{{"Age", "0"}, {"Age", "7200"}}), Seconds(0));
  EXPECT_EQ(read_age({}), std::nullopt);
}

}  // namespace
}  // namespace relay::http
