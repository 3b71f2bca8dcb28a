#include "common/media/bit_rate.hpp"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace relay::media {
namespace {

BitRate measured(const std::vector<std::pair<std::uint64_t, double>>& segments) {
  BitRate rate(6);
  for (auto [bytes, seconds] : segments) rate.add(bytes, seconds);
  return rate;
}

TEST(BitRate, NothingIsNothing) {
  EXPECT_FALSE(measured({}).measured());
  EXPECT_EQ(measured({}).peak(), 0);
  EXPECT_EQ(measured({}).average(), 0);
}

TEST(BitRate, AverageIsOverAll) {
  BitRate rate = measured({{1000, 6}, {3000, 6}});
  EXPECT_EQ(rate.average(), 2667);
  EXPECT_EQ(rate.peak(), 4000);
}

TEST(BitRate, ShortSegmentsCountTogetherWithTheirNeighbours) {
  // One second at 80 kbit/s is no peak by itself: with its neighbours it makes 3 s or more.
  BitRate rate = measured({{10000, 1}, {1000, 2}, {1000, 6}});
  EXPECT_EQ(rate.peak(), 29334);  // 11000 bytes in 3 s
}

TEST(BitRate, ARunIsAtMostOneAndAHalfTargets) {
  BitRate rate = measured({{6000, 6}, {1200, 1}, {100, 6}});
  EXPECT_EQ(rate.peak(), 8229);  // 6 s and 1 s together; 13 s are too long
}

TEST(BitRate, AShortWholeIsItsOwnPeak) {
  EXPECT_EQ(measured({{1000, 1}, {1000, 1}}).peak(), 8000);
}

TEST(BitRate, AnOldPeakStays) {
  BitRate rate = measured({{60000, 6}});
  for (int i = 0; i < 100; ++i) rate.add(600, 6);
  EXPECT_EQ(rate.peak(), 80000);
}

}  // namespace
}  // namespace relay::media
