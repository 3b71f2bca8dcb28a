// Paths in one spelling, and query parameters.
#include "common/http/url.hpp"

#include <gtest/gtest.h>

namespace relay::http {
namespace {

TEST(SplitTarget, PathAndQuery) {
  EXPECT_EQ(split_target("/a").path, "/a");
  EXPECT_FALSE(split_target("/a").has_query);
  EXPECT_EQ(split_target("/a?").query, "");
  EXPECT_TRUE(split_target("/a?").has_query);
  EXPECT_EQ(split_target("/a?b?c").path, "/a");
  EXPECT_EQ(split_target("/a?b?c").query, "b?c");
}

TEST(NormalisePath, OneSpelling) {
  struct {
    const char* path;
    const char* normal;
  } const cases[] = {
      {"/", "/"},
      {"/demo/match/index.m3u8", "/demo/match/index.m3u8"},
      {"/%64emo/%7Eme", "/demo/~me"},
      {"/a%2fb", "/a%2Fb"},
      {"/a%2Fb", "/a%2Fb"},
      {"/a%c3%a9", "/a%C3%A9"},
      {"/a%252F", "/a%252F"},
      {"/a%3fb%23", "/a%3Fb%23"},
      {"/a|b\"c<d>", "/a%7Cb%22c%3Cd%3E"},
      {"/a%7cb", "/a%7Cb"},
      {"/a+b%20c", "/a+b%20c"},
      {"/a;v=1,2:3@x!$&'()*", "/a;v=1,2:3@x!$&'()*"},
      {"/a/./b", "/a/b"},
      {"/a/../b", "/b"},
      {"/a/%2e%2E/b", "/b"},
      {"/a/%2e/b", "/a/b"},
      {"/a/b/..", "/a/"},
      {"/a/b/.", "/a/b/"},
      {"/a/..", "/"},
      {"/.", "/"},
      {"/a//b", "/a//b"},
      {"/a//../b", "/a/b"},
      {"//..", "/"},
      {"/.../..a/b..", "/.../..a/b.."},
      {"/a/", "/a/"},
  };
  for (const auto& c : cases) {
    auto normal = normalise_path(c.path);
    ASSERT_TRUE(normal) << c.path;
    EXPECT_EQ(*normal, c.normal) << c.path;
    EXPECT_TRUE(is_normal_path(c.normal)) << c.normal;
    EXPECT_EQ(is_normal_path(c.path), std::string_view(c.path) == c.normal) << c.path;
  }
}

TEST(NormalisePath, Refused) {
  for (std::string_view path :
       {"", "a", "/%", "/%4", "/%4g", "/%g4", "/a%00b", "/%0d%0A", "/%7f", "/a\\b", "/a%5cb", "/..",
        "/a/../..", "/%2e%2e/a", "/a/../../b", "/caf\xc3\xa9", "/\x01", "/a\tb"}) {
    auto normal = normalise_path(path);
    ASSERT_FALSE(normal) << path << " gave " << *normal;
    EXPECT_EQ(normal.error().kind, ErrorKind::invalid);
    EXPECT_EQ(normal.error().source, ErrorSource::client);
    EXPECT_FALSE(is_normal_path(path)) << path;
  }
}

TEST(PercentEncode, AndBack) {
  EXPECT_EQ(percent_encode("a b/c%\xc3\xa9~"), "a%20b%2Fc%25%C3%A9~");
  EXPECT_EQ(percent_encode("/a b/", true), "/a%20b/");
  EXPECT_EQ(percent_decode("a%20b%2Fc%25%c3%a9+"), "a b/c%\xc3\xa9+");
  EXPECT_EQ(percent_decode("%2"), std::nullopt);
  EXPECT_EQ(percent_decode("%zz"), std::nullopt);
}

TEST(References, LeadToTargetsOnTheSameHost) {
  struct {
    const char* reference;
    std::optional<std::string> target;
  } const cases[] = {
      {"", "/a/b?c"},
      {"#x", "/a/b?c"},
      {"/x?y#z", "/x?y"},
      {"x", "/a/x"},
      {"../x", "/a/../x"},
      {"?d", "/a/b?d"},
      {"http://Host.example:80/x", "/x"},
      {"https://host.example/x", "/x"},
      {"HTTP://host.example?q", "/?q"},
      {"//host.example", "/"},
      {"http://other.example/x", std::nullopt},
      {"//host.example:8080/x", std::nullopt},
      {"http:x", std::nullopt},
      {"mailto:a@b", std::nullopt},
      {"x/y:z", "/a/x/y:z"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(resolve_on_host(c.reference, "/a/b?c", "host.example"), c.target) << c.reference;
  }
}

TEST(Parameters, FindAndList) {
  std::string_view query = "tag=a&title=Cup+final%2C%20day%201&tag=b&&flag&bad=%x&empty=&=v";
  EXPECT_EQ(find_parameter(query, "title"), "Cup final, day 1");
  EXPECT_EQ(find_parameter(query, "tag"), "a");
  EXPECT_EQ(find_parameter(query, "flag"), "");
  EXPECT_EQ(find_parameter(query, "empty"), "");
  EXPECT_EQ(find_parameter(query, "bad"), std::nullopt);
  EXPECT_EQ(find_parameter(query, "none"), std::nullopt);
  auto all = read_parameters(query);
  ASSERT_EQ(all.size(), 6u);
  EXPECT_EQ(all[2].name, "tag");
  EXPECT_EQ(all[2].value, "b");
  EXPECT_TRUE(read_parameters("").empty());
}

}  // namespace
}  // namespace relay::http
