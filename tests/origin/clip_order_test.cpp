#include "origin/clip_order.hpp"

#include <gtest/gtest.h>

namespace relay::origin {
namespace {

TEST(ClipOrder, TimesAreSecondsOrMoments) {
  auto order = read_clip_order(
      R"({"from": "final", "start": 12.5, "end": "2026-11-24T12:00:00.25+02:00", "title": "Goal",
          "tags": ["1:0"], "exact": true})");
  ASSERT_TRUE(order) << order.error().message;
  EXPECT_EQ(order->from, "final");
  EXPECT_FALSE(order->wish.start->dated);
  EXPECT_EQ(order->wish.start->us, 12'500'000);
  EXPECT_TRUE(order->wish.end->dated);
  EXPECT_EQ(order->wish.end->us, 1'795'514'400'250'000);
  EXPECT_FALSE(order->wish.gaps);
  EXPECT_TRUE(order->exact);
  EXPECT_EQ(order->labels.title, "Goal");
  EXPECT_EQ(order->labels.tags, std::vector<std::string>{"1:0"});
}

TEST(ClipOrder, OnlyTheSourceMustBeSaid) {
  auto order = read_clip_order(R"({"from": "final"})");
  ASSERT_TRUE(order);
  EXPECT_FALSE(order->wish.start);
  EXPECT_FALSE(order->wish.end);
  EXPECT_FALSE(order->labels.title);
  EXPECT_FALSE(order->exact);
}

TEST(ClipOrder, AFaultIsSaidWithItsPlace) {
  struct Wrong {
    const char* text;
    const char* message;
  };
  for (Wrong wrong : {
           Wrong{R"({"start": 1})",
                 "member 'from' is missing: the video, channel or clip to clip from"},
           Wrong{R"({"from": 3})", "line 1, column 10: member 'from' must be the name of an asset"},
           Wrong{R"({"from": "a/b"})", "asset 'a/b' has '/' in it; allowed are A-Z a-z 0-9 . _ -"},
           Wrong{R"({"from": "a", "start": -1})",
                 "line 1, column 24: member 'start' must be 0 or more seconds"},
           Wrong{R"({"from": "a", "end": "noon"})",
                 "line 1, column 22: member 'end' must be seconds from the source's beginning, "
                 "like 12.5, or a moment, like \"2026-11-24T10:00:12.5Z\""},
           Wrong{R"({"from": "a", "gaps": 1})",
                 "line 1, column 23: member 'gaps' must be true or false"},
           Wrong{
               R"({"from": "a", "begin": 1})",
               "line 1, column 15: unknown member \"begin\"; allowed are from, start, end, title, "
               "tags, gaps, exact"},
       }) {
    auto order = read_clip_order(wrong.text);
    ASSERT_FALSE(order) << wrong.text;
    EXPECT_EQ(order.error().kind, ErrorKind::invalid);
    EXPECT_EQ(order.error().message, wrong.message);
  }
}

}  // namespace
}  // namespace relay::origin
