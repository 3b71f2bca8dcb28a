// What a channel may take its time for.
#include "origin/live/deadlines.hpp"

#include <gtest/gtest.h>

namespace relay::origin::live {
namespace {

using std::chrono::milliseconds;

TEST(LiveDeadlines, ANewSegmentIsToldWithinOneAndAHalfTargetsOfTheLastOne) {
  for (std::int64_t target_s : {2, 3, 4, 6, 20}) {
    milliseconds target(target_s * 1000);
    for (milliseconds lateness : {milliseconds(200), milliseconds(400), milliseconds(900)}) {
      // The last one came `lateness` behind its end; the clock is looked at once a tick.
      milliseconds between = target + gap_after(target_s, lateness) + tick_interval - lateness;
      EXPECT_LE(between, target * 3 / 2) << target_s << " " << lateness.count();
      EXPECT_GE(gap_after(target_s, lateness), std::min(milliseconds(2000), lateness));
    }
    EXPECT_LE(quiet_before_gap(target_s), target / 2);
  }
  EXPECT_EQ(gap_after(4, milliseconds(1500)), milliseconds(2000));
  EXPECT_EQ(gap_after(2, milliseconds(-700)), milliseconds(800)) << "a gap told before its end";
}

TEST(LiveDeadlines, SegmentsOfOneSecondAreNotGivenUpBetweenTheirParts) {
  EXPECT_EQ(quiet_before_gap(1), milliseconds(1000));
  EXPECT_EQ(gap_after(1, milliseconds(300)), milliseconds(1100));
}

TEST(LiveDeadlines, TheFirstOneMayTakeTwoSeconds) {
  EXPECT_EQ(gap_after(1, std::nullopt), milliseconds(2000));
}

}  // namespace
}  // namespace relay::origin::live
