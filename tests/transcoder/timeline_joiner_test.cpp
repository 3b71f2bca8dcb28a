#include "transcoder/timeline_joiner.hpp"

#include <gtest/gtest.h>

namespace relay::transcoder {
namespace {

constexpr std::int64_t ms = 1'000'000, s = 1000 * ms;

TEST(TimelineJoiner, LeavesGoodTimesAlone) {
  TimelineJoiner joiner(2, 10 * s);
  for (std::int64_t i = 0; i < 100; ++i) {
    EXPECT_EQ(joiner.offset_ns(0, i * 40 * ms, 40 * ms), 0);
    EXPECT_EQ(joiner.offset_ns(1, i * 40 * ms - 300 * ms, 40 * ms), 0);
  }
}

TEST(TimelineJoiner, BothStreamsMoveByTheSameJump) {
  TimelineJoiner joiner(2, 10 * s);
  joiner.offset_ns(0, 1000 * s, 40 * ms);
  joiner.offset_ns(1, 1000 * s + 7 * ms, 20 * ms);
  // The source begins again at 5 s; the companion is seen a little later.
  std::int64_t moved = joiner.offset_ns(0, 5 * s, 40 * ms);
  EXPECT_EQ(5 * s + moved, 1000 * s + 40 * ms);
  EXPECT_EQ(joiner.offset_ns(1, 5 * s + 7 * ms, 20 * ms), moved);
}

TEST(TimelineJoiner, LatePacketsFromBeforeTheJumpStayWhereTheyWere) {
  TimelineJoiner joiner(2, 10 * s);
  joiner.offset_ns(0, 100 * s, 40 * ms);
  joiner.offset_ns(1, 100 * s, 20 * ms);
  std::int64_t moved = joiner.offset_ns(0, 500 * s, 40 * ms);
  EXPECT_EQ(moved, 100 * s + 40 * ms - 500 * s);
  EXPECT_EQ(joiner.offset_ns(1, 100 * s + 20 * ms, 20 * ms), 0);
  EXPECT_EQ(joiner.offset_ns(1, 500 * s, 20 * ms), moved);
}

TEST(TimelineJoiner, AWrapOf33BitsIsExact) {
  TimelineJoiner joiner(1, 10 * s);
  constexpr std::int64_t turn = 95'443'717'688'889;
  joiner.offset_ns(0, turn - 100 * ms, 40 * ms);
  EXPECT_EQ(joiner.offset_ns(0, 20 * ms, 40 * ms), turn);
}

TEST(TimelineJoiner, UnrelatedClocksBeginTogether) {
  TimelineJoiner joiner(2, 10 * s);
  joiner.offset_ns(0, 75831 * s, 40 * ms);
  EXPECT_EQ(joiner.offset_ns(1, 70911 * s, 20 * ms), 4920 * s + 40 * ms);
}

TEST(TimelineJoiner, ALongPauseOfOneStreamIsNoJumpWhileTheOtherGoesOn) {
  TimelineJoiner joiner(2, 10 * s);
  joiner.offset_ns(0, 0, 40 * ms);
  for (std::int64_t i = 0; i < 600; ++i) joiner.offset_ns(1, i * 100 * ms, 100 * ms);
  EXPECT_EQ(joiner.offset_ns(0, 60 * s, 40 * ms), 0);
}

}  // namespace
}  // namespace relay::transcoder
