#include "transcoder/live/shedding.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace relay::transcoder::live {
namespace {

constexpr std::int64_t second = 1'000'000, quarter = second / 4;

struct Machine {
  Shedding shedding{SheddingRules{}, 4};
  std::int64_t now = 900 * second;
  int shed = 0;
  int changes = 0;
  int after(std::int64_t us, std::int64_t delay) {
    for (std::int64_t end = now + us; now < end;) {
      now += quarter;
      int before = shed;
      shed = shedding.at(now, delay);
      changes += shed != before;
    }
    return shed;
  }
};

TEST(LiveShedding, AShortDelayIsForgiven) {
  Machine machine;
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(machine.after(second, 2 * second), 0);
    EXPECT_EQ(machine.after(second, 0), 0);
  }
}

TEST(LiveShedding, AKnownReasonIsNoSignOfASlowMachine) {
  Machine machine;
  machine.shedding.excuse_until(machine.now + 3 * second);
  EXPECT_EQ(machine.after(4 * second, 2 * second), 0);
  EXPECT_EQ(machine.after(2 * second, 2 * second), 1) << "it goes on behind that";
}

TEST(LiveShedding, OneRenditionAtATimeAndNeverTheLast) {
  Machine machine;
  EXPECT_EQ(machine.after(2 * second + quarter, 2 * second), 1);
  EXPECT_EQ(machine.after(4 * second, 2 * second), 1) << "it ends with its segment";
  EXPECT_EQ(machine.after(5 * second, 2 * second), 2);
  EXPECT_EQ(machine.after(100 * second, 2 * second), 3);
}

TEST(LiveShedding, TakesThemBackWhenItIsCalm) {
  Machine machine;
  machine.after(12 * second, 2 * second);
  ASSERT_EQ(machine.shed, 2);
  EXPECT_EQ(machine.after(10 * second, 400'000), 2) << "within the bound is not calm";
  EXPECT_EQ(machine.after(60 * second, 20'000), 0);
}

TEST(LiveShedding, WaitsLongerEachTimeThatItWasWrong) {
  Machine machine;
  // Three renditions are what this machine can make.
  for (std::int64_t end = machine.now + 3600 * second; machine.now < end;)
    machine.after(quarter, machine.shed >= 1 ? 20'000 : 2 * second);
  EXPECT_LE(machine.changes, 24) << "an hour";
  EXPECT_GE(machine.changes, 5) << "it tries";
}

}  // namespace
}  // namespace relay::transcoder::live
