#include "edge/purge_log.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace relay::edge {
namespace {

using namespace std::chrono_literals;
using Texts = std::vector<std::string>;

constexpr SteadyTime noon{std::chrono::hours(12)};
constexpr WallTime wall_noon{std::chrono::hours(12)};

Purge purge(std::string_view json) {
  auto parsed = parse_purge(json);
  EXPECT_TRUE(parsed) << json << ": " << (parsed ? "" : parsed.error().message);
  return parsed.value_or(Purge{});
}
std::uint64_t add(PurgeLog& log, std::string_view json, SteadyTime now = noon) {
  auto number = log.add(purge(json), wall_noon, now);
  EXPECT_TRUE(number);
  return number.value_or(0);
}
PurgeVerdict judge(const PurgeLog& log, std::uint64_t begun, std::string_view key,
                   const Texts& tags = {}) {
  return log.judge(begun, key, [&] { return std::span<const std::string>(tags); });
}

TEST(PurgeLog, matches_the_keys_that_a_purge_names) {
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
  for (const auto& c : cases) {
    PurgeLog log(c.key.front() != '/');
    add(log, c.json);
    EXPECT_EQ(judge(log, 0, c.key).dead, c.yes) << c.json << c.key;
    EXPECT_EQ(log.purged_since(0, c.key, {}), c.yes) << c.json << c.key;
  }
}

TEST(PurgeLog, tags_and_all) {
  PurgeLog log(false);
  add(log, R"({"tag":"final"})");
  EXPECT_TRUE(judge(log, 0, "/a", {"x", "final"}).dead);
  EXPECT_FALSE(judge(log, 0, "/a", {"finals"}).dead);
  EXPECT_FALSE(judge(log, 0, "/final").dead);
  std::uint64_t all = add(log, R"({"all":true})");
  EXPECT_TRUE(judge(log, all - 1, "/a").dead);
  EXPECT_FALSE(judge(log, all, "/a", {"final"}).dead);
}

TEST(PurgeLog, tags_are_not_asked_for_in_vain) {
  PurgeLog log(false);
  add(log, R"({"url":"/a"})");
  bool asked = false;
  log.judge(0, "/b", [&] {
    asked = true;
    return std::span<const std::string>();
  });
  EXPECT_FALSE(asked);
}

TEST(PurgeLog, what_was_fetched_after_a_purge_outlives_it) {
  PurgeLog log(false);
  std::uint64_t number = add(log, R"({"prefix":"/a"})");
  EXPECT_EQ(log.sequence(), number);
  EXPECT_TRUE(judge(log, number - 1, "/a/1").dead);
  EXPECT_TRUE(judge(log, number, "/a/1").untouched());
}

TEST(PurgeLog, every_prefix_of_a_key_is_seen) {
  PurgeLog log(false);
  Texts prefixes = {"/", "/a", "/a/b", "/a/b/c", "/a/bb", "/a/b/cc", "/b", "/a/a"};
  for (const std::string& prefix : prefixes) {
    PurgeLog one(false);
    for (const std::string& other : prefixes) {
      if (other != prefix) one.restore({1, wall_noon, {PurgeBy::prefix, other, {}, false}}, noon);
    }
    one.restore({2, wall_noon, {PurgeBy::prefix, prefix, {}, false}}, noon);
    for (std::string_view key : {"/a/b/c/d", "/a/bb", "/a/b/cd", "/b", "/c", "/a/b/cc/x"}) {
      EXPECT_EQ(judge(one, 1, key).dead, key.starts_with(prefix)) << prefix << " " << key;
    }
  }
}

TEST(PurgeLog, a_soft_purge_makes_stale) {
  PurgeLog log(false);
  std::uint64_t number = add(log, R"({"tenant":"a","soft":true})");
  EXPECT_EQ(judge(log, 0, "/a/x").stale_from, wall_noon);
  EXPECT_FALSE(judge(log, 0, "/a/x").dead);
  EXPECT_TRUE(judge(log, number, "/a/x").untouched());
  EXPECT_TRUE(log.purged_since(0, "/a/x", {}));
  add(log, R"({"url":"/a/x"})");
  EXPECT_TRUE(judge(log, number, "/a/x").dead);
  EXPECT_FALSE(judge(log, number, "/a/y").dead);
}

TEST(PurgeLog, forgets_what_is_swept_old_and_before_every_flight) {
  PurgeLog log(false);
  std::uint64_t first = add(log, R"({"url":"/a"})");
  std::uint64_t second = add(log, R"({"prefix":"/b"})");
  SteadyTime later = noon + PurgeLog::peer_distrust + 1ms;
  log.forget(second, later);
  EXPECT_EQ(log.size(), 2u) << "not swept";
  log.note_swept(second);
  log.forget(second, noon + 1ms);
  EXPECT_EQ(log.size(), 2u) << "too young";
  log.forget(first - 1, later);
  EXPECT_EQ(log.size(), 2u) << "a flight began before";
  EXPECT_EQ(log.forget(first, later), first);
  EXPECT_EQ(log.size(), 1u);
  EXPECT_FALSE(judge(log, 0, "/a").dead);
  EXPECT_TRUE(judge(log, 0, "/b").dead);
  EXPECT_TRUE(log.purged_since(first - 1, "/x", {})) << "it cannot know any more";
  EXPECT_FALSE(log.purged_since(first, "/x", {}));
  log.forget(second, later);
  EXPECT_FALSE(judge(log, 0, "/b").dead);
}

TEST(PurgeLog, a_mark_that_was_raised_again_stays) {
  PurgeLog log(false);
  std::uint64_t first = add(log, R"({"url":"/a"})");
  std::uint64_t second = add(log, R"({"url":"/a"})", noon + 2 * PurgeLog::peer_distrust);
  log.note_swept(first);
  log.forget(second, noon + 2 * PurgeLog::peer_distrust);
  EXPECT_EQ(log.size(), 1u);
  EXPECT_TRUE(judge(log, first, "/a").dead);
}

TEST(PurgeLog, is_bounded) {
  PurgeLog log(false);
  auto prefix = [](std::size_t i) {
    return Purge{PurgeBy::prefix, "/" + std::to_string(i) + "/", {}, false};
  };
  for (std::size_t i = 0; i < PurgeLog::prefixes_max; ++i) {
    ASSERT_TRUE(log.add(prefix(i), wall_noon, noon));
  }
  std::uint64_t last = log.sequence();
  auto refused = log.add(prefix(PurgeLog::prefixes_max), wall_noon, noon);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::unavailable);
  EXPECT_EQ(log.sequence(), last);
  EXPECT_TRUE(log.add({PurgeBy::url, "/a", {}, false}, wall_noon, noon));
  log.note_swept(last);
  ASSERT_TRUE(log.add(prefix(PurgeLog::prefixes_max), wall_noon, noon));
  EXPECT_FALSE(judge(log, 0, "/0/x").dead) << "swept, so it may go first";
  EXPECT_TRUE(judge(log, 0, "/1/x").dead);
  EXPECT_TRUE(log.purged_since(0, "/x", {}));
  EXPECT_TRUE(log.purged_lately("/x", noon)) << "what was dropped early may have named it";
}

TEST(PurgeLog, numbers_go_on_from_where_a_run_begins) {
  PurgeLog log(false);
  log.restore({7, wall_noon, purge(R"({"url":"/a"})")}, noon);
  log.begin_at(1ull << 32);
  EXPECT_TRUE(judge(log, 6, "/a").dead);
  EXPECT_EQ(add(log, R"({"url":"/b"})"), (1ull << 32) + 1);
}

TEST(PurgeLog, is_shared_by_threads) {
  PurgeLog log(false);
  std::atomic<int> missed{0};
  auto flights = [&] {
    for (int i = 0; i < 2000; ++i) {
      auto begun = log.sequence();
      EXPECT_TRUE(log.add(Purge{.by = PurgeBy::url, .text = "/a"}, wall_noon, noon));
      if (!log.purged_since(begun, "/a", {})) ++missed;
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back(flights);
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(missed, 0);
  EXPECT_EQ(log.sequence(), 8000u);
}

TEST(PurgeLog, other_members_are_distrusted_for_a_while) {
  PurgeLog log(false);
  EXPECT_FALSE(log.purged_lately("/a", noon));
  add(log, R"({"prefix":"/a"})");
  EXPECT_TRUE(log.purged_lately("/a/1", noon + PurgeLog::peer_distrust));
  EXPECT_FALSE(log.purged_lately("/b/1", noon + PurgeLog::peer_distrust));
  EXPECT_FALSE(log.purged_lately("/a/1", noon + PurgeLog::peer_distrust + 1ms));
  add(log, R"({"tag":"t"})");
  EXPECT_TRUE(log.purged_lately("/b/1", noon)) << "only the answer would tell its tags";
}

}  // namespace
}  // namespace relay::edge
