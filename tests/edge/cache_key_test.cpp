#include "edge/cache_key.hpp"

#include <gtest/gtest.h>

namespace relay::edge {
namespace {

using Names = std::vector<std::string>;

std::string key(std::string_view target) {
  auto keyed = key_target(target, "Any.Host", false);
  return keyed ? keyed->key : "refused";
}

TEST(CacheKey, is_the_normalised_target_without_what_speaks_of_the_viewer) {
  struct {
    std::string_view target, key;
  } cases[] = {
      {"/demo/x/index.m3u8", "/demo/x/index.m3u8"},
      {"/demo/./x/../x/1.m4s", "/demo/x/1.m4s"},
      {"/%64emo/x", "/demo/x"},
      {"/a%2fb", "/a%2Fb"},
      {"/a?b=1&a=2", "/a?b=1&a=2"},
      {"/a?", "/a?"},
      {"/a?CMCD=br%3D1", "/a"},
      {"/a?cmcd=br", "/a"},
      {"/a?CMCD", "/a"},
      {"/a?x=1&CMCD=br%3D1&y=2", "/a?x=1&y=2"},
      {"/a?CMCD=1&y=2", "/a?y=2"},
      {"/a?xCMCD=1", "/a?xCMCD=1"},
      {"/a?x=CMCD=1", "/a?x=CMCD=1"},
      {"/a?b=/../c", "/a?b=/../c"},
      {"/../a", "refused"},
      {"/a%0", "refused"},
      {"/a%00", "refused"},
  };
  for (const auto& c : cases) EXPECT_EQ(key(c.target), c.key) << c.target;
}

TEST(CacheKey, what_is_asked_upstream_is_what_the_key_says) {
  auto keyed = key_target("/x/../a?CMCD=1&b=2", "H:80", true);
  ASSERT_TRUE(keyed);
  EXPECT_EQ(keyed->key, "h:80/a?b=2");
  EXPECT_EQ(keyed->target, "/a?b=2");
}

TEST(CacheKey, vary_names_are_one_sorted_list_and_a_star_matches_nothing) {
  struct {
    std::vector<http::Field> fields;
    std::optional<Names> names;
  } cases[] = {
      {{}, Names{}},
      {{{"Vary", "Accept"}}, Names{"accept"}},
      {{{"vary", "Foo, accept"}, {"Vary", "ACCEPT"}}, Names{"accept", "foo"}},
      {{{"Vary", "*"}}, std::nullopt},
      {{{"Vary", "Foo, *"}}, std::nullopt},
      {{{"Vary", "Foo"}, {"Vary", ", *"}}, std::nullopt},
  };
  for (const auto& c : cases) EXPECT_EQ(vary_names(c.fields), c.names);
}

TEST(CacheKey, requests_with_the_same_meaning_select_the_same_variant) {
  Names names = {"accept", "foo"};
  auto variant = [&](std::vector<http::Field> request) {
    return secondary_key("/a", names, request);
  };
  auto one = variant({{"Foo", "1"}, {"Accept", "a, b"}});
  EXPECT_EQ(one, "/a\naccept=a,b\nfoo=1");
  EXPECT_EQ(one, variant({{"accept", "a ,b"}, {"foo", "1"}}));
  EXPECT_EQ(one, variant({{"accept", "a"}, {"foo", "1"}, {"Accept", "b"}}));
  EXPECT_EQ(one, variant({{"accept", "B;q=1 , a"}, {"foo", "1"}}));
  EXPECT_NE(variant({{"foo", "1, 2"}}), variant({{"foo", "2, 1"}}));
  EXPECT_NE(variant({{"accept", "a, \"x"}}), variant({{"accept", "\"x, a"}}));
  EXPECT_NE(variant({{"foo", "a"}}), variant({{"foo", "A"}}));
  EXPECT_NE(one, variant({{"accept", "a, b"}}));
  EXPECT_NE(variant({{"accept", "a"}}), variant({{"accept", "a"}, {"foo", ""}}));
  EXPECT_NE(variant({{"accept", "a, \"b,  c\""}}), variant({{"accept", "a, \"b, c\""}}));
  EXPECT_EQ(secondary_key("/a", {}, {}), "/a");
}

TEST(CacheKey, a_language_has_a_key_that_no_request_value_has) {
  Names names = {"accept-language", "foo"};
  std::vector<http::Field> request = {{"Accept-Language", "de"}, {"Foo", "1"}};
  EXPECT_EQ(language_key("/a", names, request, "de"),
            "/a\naccept-language=\x01"
            "de\nfoo=1");
  EXPECT_NE(language_key("/a", names, request, "de"), secondary_key("/a", names, request));
  EXPECT_TRUE(chooses_language(names));
  EXPECT_FALSE(chooses_language(Names{"foo"}));
}

TEST(CacheKey, each_key_leads_back_to_its_primary_key) {
  EXPECT_EQ(primary_of("/a?b\naccept=c\nfoo=\x01"), "/a?b");
  EXPECT_EQ(primary_of("host/a"), "host/a");
}

}  // namespace
}  // namespace relay::edge
