#include "edge/fleet/answer_times.hpp"

#include <gtest/gtest.h>

namespace relay::edge::fleet {
namespace {

using std::chrono::microseconds;

TEST(AnswerTimes, few_tell_nothing) {
  AnswerTimes times;
  for (std::uint32_t i = 1; i < AnswerTimes::telling_count; ++i) times.add(microseconds(1000));
  EXPECT_FALSE(times.p95());
  times.add(microseconds(1000));
  EXPECT_TRUE(times.p95());
}

TEST(AnswerTimes, ninety_five_of_a_hundred_are_within_it) {
  AnswerTimes times;
  for (int i = 1; i <= 500; ++i) times.add(microseconds(i * 100));
  ASSERT_TRUE(times.p95());
  EXPECT_GE(*times.p95(), microseconds(static_cast<int>(47'500 / 1.42)));
  EXPECT_LE(*times.p95(), microseconds(static_cast<int>(47'500 * 1.42)));
}

TEST(AnswerTimes, one_slow_answer_in_fifty_does_not_move_it) {
  AnswerTimes times;
  for (int i = 0; i < 500; ++i) times.add(microseconds(i % 50 == 0 ? 2'000'000 : 1000));
  EXPECT_LT(*times.p95(), microseconds(2000));
}

TEST(AnswerTimes, what_was_long_ago_fades) {
  AnswerTimes times;
  for (int i = 0; i < 1000; ++i) times.add(microseconds(500'000));
  for (int i = 0; i < 20'000; ++i) times.add(microseconds(1000));
  EXPECT_LT(*times.p95(), microseconds(2000));
}

TEST(AnswerTimes, takes_any_time) {
  AnswerTimes times;
  for (int i = 0; i < 100; ++i) times.add(microseconds(0));
  EXPECT_LE(*times.p95(), microseconds(64));
  for (int i = 0; i < 2000; ++i) times.add(std::chrono::hours(1));
  EXPECT_GT(*times.p95(), std::chrono::seconds(10));
}

}  // namespace
}  // namespace relay::edge::fleet
