#include "edge/purge.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace relay::edge {
namespace {

using Tags = std::vector<std::string>;

Purge purge(std::string_view json) {
  auto parsed = parse_purge(json);
  EXPECT_TRUE(parsed) << json << ": " << (parsed ? "" : parsed.error().message);
  return parsed.value_or(Purge{});
}

TEST(Purge, matches_the_keys_that_it_names) {
  struct {
    std::string_view json, key;
    bool yes;
  } cases[] = {
      {R"({"url":"/demo/x"})", "/demo/x", true},
      {R"({"url":"/demo/x"})", "/demo/x\naccept=a", true},
      {R"({"url":"/demo/x"})", "/demo/x?a", false},
      {R"({"url":"/demo/x?a"})", "/demo/x?a", true},
      {R"({"url":"/demo/./y/../x?CMCD=1"})", "/demo/x", true},
      {R"({"url":"/demo/x"})", "/demo/xy", false},
      {R"({"url":"http://edge:7101/demo/x"})", "/demo/x", true},
      {R"({"url":"http://Edge:7101/demo/x"})", "edge:7101/demo/x", true},
      {R"({"url":"http://other/demo/x"})", "edge:7101/demo/x", false},
      {R"({"url":"/demo/x"})", "edge:7101/demo/x", true},
      {R"({"url":"https://edge"})", "/", true},
      {R"({"prefix":"/demo/x"})", "/demo/xy/1.m4s", true},
      {R"({"prefix":"/demo/x/"})", "/demo/xy/1.m4s", false},
      {R"({"prefix":"/"})", "/anything", true},
      {R"({"prefix":"/demo/x"})", "/a\nfoo=/demo/x", false},
      {R"({"tenant":"demo"})", "/demo/x/index.m3u8", true},
      {R"({"tenant":"demo"})", "/watch/demo/x", true},
      {R"({"tenant":"demo"})", "host/demo/x", true},
      {R"({"tenant":"demo"})", "/demo", true},
      {R"({"tenant":"demo"})", "/demo?q", true},
      {R"({"tenant":"demo"})", "/demo2/x", false},
      {R"({"tenant":"demo"})", "/other/demo/x", false},
      {R"({"tenant":"demo"})", "/watch/other/demo", false},
      {R"({"tag":"demo"})", "/demo", false},
  };
  for (const auto& c : cases) EXPECT_EQ(purge(c.json).matches(c.key), c.yes) << c.json << c.key;
}

TEST(Purge, a_tag_matches_the_stored_tags_only) {
  auto by_tag = purge(R"({"tag":"final"})");
  EXPECT_TRUE(by_tag.needs_tags());
  EXPECT_TRUE(by_tag.matches("/a", Tags{"x", "final"}));
  EXPECT_FALSE(by_tag.matches("/a", Tags{"finals"}));
  EXPECT_FALSE(by_tag.matches("/final"));
  EXPECT_FALSE(purge(R"({"prefix":"/"})").needs_tags());
}

TEST(Purge, soft_is_asked_for) {
  EXPECT_FALSE(purge(R"({"url":"/a"})").soft);
  EXPECT_TRUE(purge(R"({"soft":true,"url":"/a"})").soft);
  EXPECT_FALSE(purge(R"({"url":"/a","soft":false})").soft);
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
      {R"({"url":7})", "\"url\" must be a text"},
      {R"({"url":"a"})", "\"url\" must be a path that begins with \"/\""},
      {R"({"url":""})", "\"url\" must be a path"},
      {R"({"url":"http:///a"})", "\"url\" must be a path"},
      {R"({"prefix":"/../a"})", "\"prefix\": "},
      {R"({"tag":""})", "\"tag\" must be one tag"},
      {R"({"tag":"a, b"})", "\"tag\" must be one tag"},
      {R"({"tenant":"a/b"})", "a/b"},
  };
  for (const auto& c : cases) {
    auto parsed = parse_purge(c.json);
    ASSERT_FALSE(parsed) << c.json;
    EXPECT_EQ(parsed.error().kind, ErrorKind::invalid) << c.json;
    EXPECT_THAT(parsed.error().message, testing::HasSubstr(c.message)) << c.json;
  }
}

TEST(PurgeLog, knows_which_flights_began_before_a_matching_purge) {
  PurgeLog log;
  auto first = log.sequence();
  EXPECT_FALSE(log.purged_since(first, "/a"));
  log.add(purge(R"({"url":"/a"})"), SteadyTime{});
  auto second = log.sequence();
  EXPECT_TRUE(log.purged_since(first, "/a"));
  EXPECT_FALSE(log.purged_since(first, "/b"));
  EXPECT_FALSE(log.purged_since(second, "/a"));
  log.add(purge(R"({"tag":"t"})"), SteadyTime{});
  EXPECT_TRUE(log.purged_since(second, "/b", Tags{"t"}));
  EXPECT_FALSE(log.purged_since(second, "/a"));
  EXPECT_TRUE(log.purged_since(first, "/a"));
}

TEST(PurgeLog, flights_older_than_its_memory_count_as_purged) {
  PurgeLog log(2);
  auto begun = log.sequence();
  for (std::string_view json : {R"({"url":"/a"})", R"({"url":"/b"})"})
    log.add(purge(json), SteadyTime{});
  EXPECT_FALSE(log.purged_since(begun, "/x"));
  log.add(purge(R"({"url":"/c"})"), SteadyTime{});
  EXPECT_TRUE(log.purged_since(begun, "/x"));
  EXPECT_FALSE(log.purged_since(begun + 1, "/x"));
}

TEST(PurgeLog, is_shared_by_threads) {
  PurgeLog log(16);
  std::atomic<int> missed{0};
  auto flights = [&] {
    for (int i = 0; i < 2000; ++i) {
      auto begun = log.sequence();
      log.add(Purge{.by = PurgeBy::url, .text = "/a"}, SteadyTime{});
      if (!log.purged_since(begun, "/a")) ++missed;
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back(flights);
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(missed, 0);
  EXPECT_EQ(log.sequence(), 8000u);
}

TEST(PurgeLog, OtherMembersAreDistrustedForAWhile) {
  PurgeLog log;
  SteadyTime now{std::chrono::hours(1)};
  EXPECT_FALSE(log.purged_lately("/a", now));
  log.add(purge(R"({"prefix":"/a"})"), now);
  EXPECT_TRUE(log.purged_lately("/a/1", now + PurgeLog::peer_distrust));
  EXPECT_FALSE(log.purged_lately("/b/1", now + PurgeLog::peer_distrust));
  EXPECT_FALSE(
      log.purged_lately("/a/1", now + PurgeLog::peer_distrust + std::chrono::milliseconds(1)));
}

}  // namespace
}  // namespace relay::edge
