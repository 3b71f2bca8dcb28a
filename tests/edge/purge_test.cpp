#include "edge/purge.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace relay::edge {
namespace {

Purge purge(std::string_view json) {
  auto parsed = parse_purge(json);
  EXPECT_TRUE(parsed) << json << ": " << (parsed ? "" : parsed.error().message);
  return parsed.value_or(Purge{});
}

TEST(Purge, soft_is_asked_for) {
  EXPECT_FALSE(purge(R"({"url":"/a"})").soft);
  EXPECT_TRUE(purge(R"({"soft":true,"url":"/a"})").soft);
  EXPECT_FALSE(purge(R"({"url":"/a","soft":false})").soft);
}

TEST(Purge, all_names_nothing_more) {
  EXPECT_EQ(purge(R"({"all":true,"soft":true})"), (Purge{.by = PurgeBy::all, .soft = true}));
}

TEST(Purge, a_target_belongs_to_a_tenant) {
  EXPECT_EQ(tenant_of("/demo/x/index.m3u8"), "demo");
  EXPECT_EQ(tenant_of("/watch/demo/x"), "demo");
  EXPECT_EQ(tenant_of("/watch/demo"), "demo");
  EXPECT_EQ(tenant_of("/watch"), "watch");
  EXPECT_EQ(tenant_of("/demo?q"), "demo");
  EXPECT_EQ(tenant_of("/"), "");
}

TEST(Purge, is_for_the_fleet_unless_it_says_otherwise) {
  EXPECT_FALSE(parse_purge(R"({"url":"/a"})")->here_only);
  EXPECT_FALSE(parse_purge(R"({"scope":"fleet","url":"/a"})")->here_only);
  EXPECT_TRUE(parse_purge(R"({"url":"/a","scope":"edge"})")->here_only);
}

TEST(Purge, errors_name_what_is_wrong) {
  struct {
    std::string_view json, message;
  } cases[] = {
      {"", "the JSON ends too early"},
      {R"({"url":"/a")", "the JSON ends too early"},
      {"{url}", "this is not JSON, at byte 2"},
      {R"({"url":"/a"} x)", "there is more after the JSON value, at byte 14"},
      {"[]", "the JSON is no object; wanted is an object with exactly one of"},
      {"{}", "nothing is named"},
      {R"({"soft":true})", "nothing is named"},
      {R"({"uri":"/a"})", "unknown member \"uri\""},
      {R"({"url":"/a","tag":"b"})", "both \"url\" and \"tag\" are there"},
      {R"({"url":"/a","soft":1})", "\"soft\" must be true or false"},
      {R"({"url":"/a","scope":"all"})", "\"scope\" must be \"fleet\" or \"edge\""},
      {R"({"url":7})", "\"url\" must be a text"},
      {R"({"url":"a"})", "\"url\" must be a path that begins with \"/\""},
      {R"({"url":""})", "\"url\" must be a path"},
      {R"({"url":"http:///a"})", "\"url\" must be a path"},
      {R"({"prefix":"/../a"})", "\"prefix\": "},
      {R"({"tag":""})", "\"tag\" must be one tag"},
      {R"({"tag":"a, b"})", "\"tag\" must be one tag"},
      {R"({"tenant":"a/b"})", "a/b"},
      {R"({"all":false})", "\"all\" must be true"},
      {R"({"all":"yes"})", "\"all\" must be true"},
      {R"({"all":true,"url":"/a"})", "both \"all\" and \"url\" are there"},
  };
  for (const auto& c : cases) {
    auto parsed = parse_purge(c.json);
    ASSERT_FALSE(parsed) << c.json;
    EXPECT_EQ(parsed.error().kind, ErrorKind::invalid) << c.json;
    EXPECT_THAT(parsed.error().message, testing::HasSubstr(c.message)) << c.json;
  }
}

}  // namespace
}  // namespace relay::edge
