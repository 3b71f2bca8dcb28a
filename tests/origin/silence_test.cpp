#include "origin/live/silence.hpp"

#include <gtest/gtest.h>

namespace relay::origin::live {
namespace {

using namespace std::chrono_literals;

const SteadyTime begin{100s};

TEST(Silence, LastsFromLookToLookUntilASign) {
  Silence silence(begin);
  SteadyTime sign = begin;
  EXPECT_EQ(silence.at(begin + 250ms, sign, false), 250ms);
  EXPECT_EQ(silence.at(begin + 500ms, sign, false), 500ms);
  sign = begin + 600ms;
  EXPECT_EQ(silence.at(begin + 750ms, sign, false), 0ms);
  EXPECT_EQ(silence.at(begin + 1000ms, sign, false), 250ms);
}

TEST(Silence, DoesNotCountTimeInWhichWeStoodOrOwedAnAnswer) {
  Silence silence(begin);
  EXPECT_EQ(silence.at(begin + 30s, begin, false), Silence::look_max) << "the machine stood";
  EXPECT_EQ(silence.at(begin + 31s, begin, true), 0ms) << "the disk is slow";
  EXPECT_EQ(silence.at(begin + 31s + 250ms, begin, false), 250ms);
}

}  // namespace
}  // namespace relay::origin::live
