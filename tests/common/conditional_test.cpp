// Preconditions in the order of RFC 9110 13.2.2.
#include "common/http/conditional.hpp"

#include <gtest/gtest.h>

namespace relay::http {
namespace {

constexpr std::string_view earlier = "Sun, 06 Nov 1994 08:49:36 GMT";
constexpr std::string_view then = "Sun, 06 Nov 1994 08:49:37 GMT";
constexpr std::string_view later = "Sun, 06 Nov 1994 08:49:38 GMT";
constexpr auto proceed = Precondition::proceed;
constexpr auto not_modified = Precondition::not_modified;
constexpr auto failed = Precondition::failed;

const Validators current{"\"a\"", read_date(then)};

TEST(EntityTags, Read) {
  EXPECT_EQ(read_entity_tag("\"a\"")->opaque, "\"a\"");
  EXPECT_FALSE(read_entity_tag("\"a\"")->weak);
  EXPECT_TRUE(read_entity_tag("W/\"a\"")->weak);
  EXPECT_TRUE(read_entity_tag("\"\""));
  EXPECT_TRUE(read_entity_tag("\"a,b\xff\""));
  for (const char* text : {"", "a", "\"a", "a\"", "w/\"a\"", "W\"a\"", "\"a b\"", "\"a\"b",
                           "\"a\"b\"", "\"a\x7f\"", "*"}) {
    EXPECT_FALSE(read_entity_tag(text)) << text;
  }
}

TEST(EntityTags, Compare) {
  EXPECT_TRUE(same_strongly("\"a\"", "\"a\""));
  EXPECT_FALSE(same_strongly("W/\"a\"", "W/\"a\""));
  EXPECT_FALSE(same_strongly("\"a\"", "W/\"a\""));
  EXPECT_FALSE(same_strongly("\"a\"", "\"A\""));
  EXPECT_FALSE(same_strongly("a", "a"));
  EXPECT_TRUE(same_weakly("W/\"a\"", "W/\"a\""));
  EXPECT_TRUE(same_weakly("\"a\"", "W/\"a\""));
  EXPECT_FALSE(same_weakly("\"a\"", "\"b\""));
}

TEST(Preconditions, OneField) {
  struct {
    std::string_view name;
    std::string_view value;
    Precondition of_get;
    Precondition of_put;
  } const cases[] = {
      {"If-None-Match", "\"a\"", not_modified, failed},
      {"If-None-Match", "W/\"a\"", not_modified, failed},
      {"If-None-Match", "\"b\" , ,W/\"a\"", not_modified, failed},
      {"If-None-Match", "*", not_modified, failed},
      {"If-None-Match", "\"b\"", proceed, proceed},
      {"If-None-Match", "\"x,\", \"b\"", proceed, proceed},
      {"If-None-Match", "a", proceed, proceed},
      {"If-None-Match", "", proceed, proceed},
      {"If-None-Match", "\"b\" \"a\"", proceed, proceed},
      {"If-Match", "\"a\"", proceed, proceed},
      {"If-Match", "*", proceed, proceed},
      {"If-Match", "\"b\", \"a\"", proceed, proceed},
      {"If-Match", "W/\"a\"", failed, failed},
      {"If-Match", "\"b\"", failed, failed},
      {"If-Modified-Since", then, not_modified, proceed},
      {"If-Modified-Since", later, not_modified, proceed},
      {"If-Modified-Since", earlier, proceed, proceed},
      {"If-Modified-Since", "yesterday", proceed, proceed},
      {"If-Unmodified-Since", then, proceed, proceed},
      {"If-Unmodified-Since", earlier, failed, failed},
      {"If-Unmodified-Since", "yesterday", proceed, proceed},
  };
  for (const auto& c : cases) {
    Headers request{{c.name, c.value}};
    EXPECT_EQ(evaluate(request, "GET", current), c.of_get) << c.name << ": " << c.value;
    EXPECT_EQ(evaluate(request, "HEAD", current), c.of_get) << c.name << ": " << c.value;
    EXPECT_EQ(evaluate(request, "PUT", current), c.of_put) << c.name << ": " << c.value;
  }
}

TEST(Preconditions, Precedence) {
  struct {
    Headers request;
    Precondition answer;
  } const cases[] = {
      {{{"If-None-Match", "\"b\""}, {"If-Modified-Since", later}}, proceed},
      {{{"If-None-Match", "\"a\""}, {"If-Modified-Since", earlier}}, not_modified},
      {{{"If-Match", "\"a\""}, {"If-Unmodified-Since", earlier}}, proceed},
      {{{"If-Match", "\"b\""}, {"If-None-Match", "\"a\""}}, failed},
      {{{"If-Match", "\"a\""}, {"If-None-Match", "\"a\""}}, not_modified},
      {{{"If-None-Match", "\"b\""}, {"If-None-Match", "\"a\""}}, not_modified},
      {{}, proceed},
  };
  for (const auto& c : cases) EXPECT_EQ(evaluate(c.request, "GET", current), c.answer);
}

TEST(Preconditions, NothingToCompareWith) {
  EXPECT_EQ(evaluate(Headers{{"If-None-Match", "\"a\""}}, "GET", Validators{}), proceed);
  EXPECT_EQ(evaluate(Headers{{"If-Modified-Since", later}}, "GET", Validators{}), proceed);
  EXPECT_EQ(evaluate(Headers{{"If-Match", "\"a\""}}, "GET", Validators{}), failed);
  EXPECT_EQ(evaluate(Headers{{"If-None-Match", "*"}}, "PUT", Validators{}, false), proceed);
  EXPECT_EQ(evaluate(Headers{{"If-Match", "*"}}, "PUT", Validators{}, false), failed);
}

TEST(Preconditions, WithoutLastModifiedTheDateCountsForCaches) {
  Validators validators{{}, {}, read_date(then)};
  EXPECT_EQ(evaluate(Headers{{"If-Modified-Since", then}}, "GET", validators), not_modified);
  EXPECT_EQ(evaluate(Headers{{"If-Modified-Since", earlier}}, "GET", validators), proceed);
  EXPECT_EQ(evaluate(Headers{{"If-Unmodified-Since", earlier}}, "GET", validators), proceed);
  EXPECT_FALSE(if_range_holds(then, validators));
}

TEST(Preconditions, AgainstAStoredResponse) {
  Headers stored{{"ETag", "W/\"a\""}, {"Last-Modified", then}};
  EXPECT_EQ(evaluate(Headers{{"If-None-Match", "\"a\""}}, "GET", stored), not_modified);
  EXPECT_EQ(evaluate(Headers{{"If-Modified-Since", then}}, "GET", stored), not_modified);
  EXPECT_FALSE(validators_of(Headers{{"ETag", "a"}}).etag);
}

TEST(IfRange, OnlyStrongly) {
  EXPECT_TRUE(if_range_holds("\"a\"", current));
  EXPECT_FALSE(if_range_holds("\"b\"", current));
  EXPECT_FALSE(if_range_holds("W/\"a\"", current));
  EXPECT_FALSE(if_range_holds("W/\"a\"", Validators{"W/\"a\"", {}}));
  EXPECT_TRUE(if_range_holds(then, current));
  EXPECT_FALSE(if_range_holds(later, current));
  EXPECT_FALSE(if_range_holds(then, Validators{{}, read_date(then), read_date(then)}));
  EXPECT_TRUE(if_range_holds(then, Validators{{}, read_date(then), read_date(later)}));
  EXPECT_FALSE(if_range_holds(then, Validators{}));
  EXPECT_FALSE(if_range_holds("", current));
}

}  // namespace
}  // namespace relay::http
