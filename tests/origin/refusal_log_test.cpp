#include "origin/live/refusal_log.hpp"

#include <gtest/gtest.h>

namespace relay::origin::live {
namespace {

TEST(RefusalLog, LeavesOutWhatIsTooMuchAndSaysHowMuchThatWas) {
  RefusalLog log;
  SteadyTime now{std::chrono::hours(5)};
  for (int i = 0; i < RefusalLog::lines_max; ++i) EXPECT_EQ(log.line(now), 0u) << i;
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(log.line(now)) << i;
  EXPECT_FALSE(log.line(now + RefusalLog::window - std::chrono::milliseconds(1)));
  EXPECT_EQ(log.line(now + RefusalLog::window), 1001u);
  EXPECT_EQ(log.line(now + RefusalLog::window), 0u);
}

}  // namespace
}  // namespace relay::origin::live
