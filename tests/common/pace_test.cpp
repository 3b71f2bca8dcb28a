// When a trickle is too slow, in time that the test makes up.
#include "common/net/pace.hpp"

#include <gtest/gtest.h>

namespace relay::net {
namespace {

using namespace std::chrono_literals;

constexpr auto window = limits::rate_window;
constexpr auto least =
    static_cast<std::uint64_t>(limits::rate_min_bytes_per_s * window.count() / 1000);

TEST(Pace, IsJudgedOverAWholeWindowOnly) {
  Pace pace;
  EXPECT_TRUE(pace.keeps(window - 1ms, 0));
  EXPECT_FALSE(pace.keeps(1ms, least - 1));
}

TEST(Pace, ATrickleOfManyPiecesIsTooSlow) {
  Pace pace;
  int pieces = 0;
  while (pace.keeps(1s, 24) && pieces < 1000) ++pieces;
  EXPECT_EQ(pieces + 1, window / 1s);
}

TEST(Pace, TheLeastRateIsKeptForEver) {
  Pace pace;
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(pace.keeps(window, least)) << i;
}

TEST(Pace, EveryWindowIsJudgedByItself) {
  Pace pace;
  EXPECT_TRUE(pace.keeps(window, 1000 * least));
  EXPECT_FALSE(pace.keeps(window, least / 2)) << "what came before does not count";
}

TEST(Pace, ALongWaitIsJudgedByItsOwnLength) {
  Pace pace;
  EXPECT_FALSE(pace.keeps(3 * window, 2 * least));
  EXPECT_TRUE(pace.keeps(3 * window, 3 * least));
}

}  // namespace
}  // namespace relay::net
