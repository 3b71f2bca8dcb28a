#include "edge/purge_history.hpp"

#include <gtest/gtest.h>

#include "edge/purge_letter.hpp"

namespace relay::edge {
namespace {

constexpr WallTime moment{std::chrono::milliseconds{784111777250}};

Purge url(std::string text) {
  return {.by = PurgeBy::url, .text = std::move(text)};
}
/// A purge that the member takes itself; its stamp.
std::uint64_t take(PurgeHistory& history, std::string text, WallTime at = moment) {
  PurgeNews news = history.make(url(std::move(text)), at);
  history.adopt(history.change_of(news));
  return news.purges[0].id.stamp;
}
std::vector<std::string> texts(const std::vector<FleetPurge>& purges) {
  std::vector<std::string> all;
  for (const FleetPurge& each : purges) all.push_back(each.purge.text);
  return all;
}
using Texts = std::vector<std::string>;

TEST(PurgeHistory, stamps_rise_whatever_the_clock_does) {
  PurgeHistory history("a");
  std::uint64_t first = take(history, "/1");
  EXPECT_EQ(first, 784111777250'000u) << "microseconds: no run before had it";
  EXPECT_EQ(take(history, "/2"), first + 1) << "in the same millisecond";
  EXPECT_EQ(take(history, "/3", moment - std::chrono::hours(1)), first + 2);
  EXPECT_GT(take(history, "/4", moment + std::chrono::hours(1)), first + 1'000'000);
}

TEST(PurgeHistory, tells_what_somebody_missed_and_nothing_twice) {
  PurgeHistory a("a"), b("b");
  take(a, "/1");
  b.adopt(b.change_of(a.missed(b.reached())));
  take(b, "/of b");
  take(a, "/2");
  take(a, "/3");
  PurgeNews news = a.missed(b.reached());
  EXPECT_FALSE(b.has_gap(news));
  PurgeChange change = b.change_of(news);
  EXPECT_EQ(texts(change.purges), (Texts{"/2", "/3"}));
  EXPECT_FALSE(change.lost);
  b.adopt(std::move(change));
  EXPECT_TRUE(b.change_of(news).empty()) << "the same news again";
  EXPECT_TRUE(a.missed(b.reached()).reached.empty());
  EXPECT_EQ(texts(b.missed(a.reached()).purges), Texts{"/of b"});
  EXPECT_EQ(b.reached("a"), a.reached("a"));
}

TEST(PurgeHistory, a_third_member_hears_from_whoever_knows) {
  PurgeHistory a("a"), b("b"), c("c");
  take(a, "/1");
  take(a, "/2");
  b.adopt(b.change_of(a.missed({})));
  EXPECT_EQ(texts(c.change_of(b.missed(c.reached())).purges), (Texts{"/1", "/2"}));
}

TEST(PurgeHistory, news_behind_a_gap_are_told_apart) {
  PurgeHistory a("a"), b("b");
  std::uint64_t first = take(a, "/1");
  std::uint64_t second = take(a, "/2");
  take(a, "/3");
  EXPECT_TRUE(b.has_gap(a.missed_of_own(first)));
  EXPECT_FALSE(b.has_gap(a.missed_of_own(0)));
  // In order, and one over the other.
  b.adopt(b.change_of(a.missed_of_own(0)));
  EXPECT_FALSE(b.has_gap(a.missed_of_own(second)));
}

TEST(PurgeHistory, what_nobody_remembers_is_lost_and_said_so) {
  PurgeHistory a("a"), b("b"), c("c");
  take(a, "/first");
  b.adopt(b.change_of(a.missed({})));
  for (std::size_t i = 0; i < PurgeHistory::purges_max; ++i) take(a, "/" + std::to_string(i));
  EXPECT_FALSE(b.change_of(a.missed(b.reached())).lost) << "only what b knew was forgotten";
  PurgeChange change = c.change_of(a.missed(c.reached()));
  EXPECT_TRUE(change.lost);
  c.adopt(std::move(change));
  // It goes on in pages, and what c itself can tell begins where its knowledge does.
  while (true) {
    PurgeChange next = c.change_of(a.missed(c.reached()));
    if (next.empty()) break;
    EXPECT_FALSE(next.lost);
    c.adopt(std::move(next));
  }
  EXPECT_EQ(c.reached(), a.reached());
  EXPECT_TRUE(PurgeHistory("d").change_of(c.missed({})).lost);
}

TEST(PurgeHistory, is_bounded_in_bytes_as_well_and_says_what_goes) {
  PurgeHistory a("a");
  constexpr std::size_t each = 64 << 10;
  std::vector<std::uint64_t> stamps;
  PurgeChange last;
  for (std::size_t i = 0; i <= PurgeHistory::text_bytes_max / each; ++i) {
    PurgeNews news = a.make(url(std::string(each, 'x')), moment);
    stamps.push_back(news.purges[0].id.stamp);
    last = a.change_of(news);
    a.adopt(last);
  }
  EXPECT_EQ(last.forgotten, std::vector{(PurgeId{"a", stamps[0]})});
  EXPECT_EQ(last.reaches["a"], (PurgeReach{stamps.back(), stamps[0]}));
}

TEST(PurgeHistory, comes_back_from_the_disk) {
  PurgeHistory a("a"), again("a"), b("b");
  take(a, "/1");
  std::uint64_t highest = take(a, "/2");
  again.restore("a", {highest, highest - 1});
  again.restore(FleetPurge{{"a", highest}, moment, url("/2")});
  EXPECT_EQ(again.reached(), a.reached());
  PurgeChange change = b.change_of(again.missed({}));
  EXPECT_TRUE(change.lost);
  EXPECT_EQ(texts(change.purges), Texts{"/2"});
  EXPECT_GT(take(again, "/3"), highest);
}

PurgeLetter letter() {
  PurgeLetter letter{"edge-1", {{"edge-1", 7}, {"edge-2", 784111777250'000}}, {}, {}};
  letter.news.after = {{"edge-1", 5}};
  letter.news.reached = {{"edge-1", 7}};
  letter.news.more = true;
  letter.news.purges = {{{"edge-1", 6}, moment, {PurgeBy::prefix, "/\"a\n", "host:80", true}},
                        {{"edge-1", 7}, moment, {PurgeBy::all, {}, {}, false}}};
  letter.lends = false;
  letter.lent.emplace()["edge-3"] = std::chrono::milliseconds(4321);
  return letter;
}

TEST(PurgeLetter, arrives_as_it_was_written) {
  auto read = decode_letter(encode(letter()));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, letter());
  PurgeLetter empty{"a", {}, {}, {}};
  EXPECT_EQ(decode_letter(encode(empty)).value_or(letter()), empty);
  empty.lent.emplace();
  EXPECT_EQ(decode_letter(encode(empty)).value_or(letter()), empty) << "nothing is not unsaid";
}

TEST(PurgeLetter, what_is_no_letter_is_refused) {
  std::string good = encode(letter());
  for (std::size_t n = 0; n < good.size(); ++n) EXPECT_FALSE(decode_letter(good.substr(0, n)));
  for (std::string_view bad :
       {"[]", "{}", R"({"from":"a"})", R"({"from":"a/b","reached":{}})",
        R"({"from":"a","reached":{"b":-1}})", R"({"from":"a","reached":{"b":1.5}})",
        R"({"from":"a","reached":{},"news":{}})", R"({"from":"a","reached":{"..":1}})",
        R"({"from":"a","reached":{},"news":{"after":{},"reached":{"a":1},"purges":[{}]}})"}) {
    EXPECT_FALSE(decode_letter(bad)) << bad;
  }
}

}  // namespace
}  // namespace relay::edge
