#include "transcoder/live/on_air.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace relay::transcoder::live {
namespace {

using media::SlotState;

constexpr std::int64_t frame = 40'000, second = 1'000'000;

// Two slots that send pictures or not, and what is on air.
struct Channel {
  explicit Channel(OnAirRules rules = {}) : on_air(rules) {}
  OnAir on_air;
  std::int64_t now = 50 * second;
  std::array<Candidate, 2> slots;
  std::array<bool, 2> sends = {false, false};

  void set(int slot, SlotState state, bool sending) {
    slots[static_cast<std::size_t>(slot)].state = state;
    sends[static_cast<std::size_t>(slot)] = sending;
  }
  int step() {
    now += frame;
    for (std::size_t i = 0; i < 2; ++i)
      if (sends[i]) slots[i].fresh_us = now;
    return on_air.at(now, slots);
  }
  int after(std::int64_t us) {
    int slot = -1;
    for (std::int64_t end = now + us; now < end;) slot = step();
    return slot;
  }
};

TEST(LiveOnAir, NobodyThenWhoeverIsReadyAndThePrimaryOfTwo) {
  Channel channel;
  EXPECT_EQ(channel.after(second), -1);
  channel.set(1, SlotState::ready, true);
  EXPECT_EQ(channel.step(), 1);
  Channel both;
  both.set(0, SlotState::ready, true);
  both.set(1, SlotState::ready, true);
  EXPECT_EQ(both.step(), 0);
}

TEST(LiveOnAir, ALostSlotIsHeldThenTheOtherOneTakesOver) {
  Channel channel;
  channel.set(0, SlotState::ready, true);
  channel.set(1, SlotState::ready, true);
  channel.after(second);
  channel.set(0, SlotState::ready, false);
  EXPECT_EQ(channel.after(900'000), 0);
  EXPECT_EQ(channel.after(200'000), 1);
  EXPECT_EQ(channel.on_air.switches(), 1);
}

TEST(LiveOnAir, ASlotThatEndedIsLeftAtOnce) {
  Channel channel;
  channel.set(0, SlotState::ready, true);
  channel.set(1, SlotState::ready, true);
  channel.after(second);
  channel.set(0, SlotState::absent, false);
  EXPECT_EQ(channel.step(), 1);
}

TEST(LiveOnAir, AloneItsLastPictureIsHeldBeforeNothingIsOnAir) {
  Channel channel;
  channel.set(0, SlotState::ready, true);
  channel.after(second);
  channel.set(0, SlotState::absent, false);
  EXPECT_EQ(channel.after(900'000), 0);
  EXPECT_EQ(channel.after(200'000), -1);
  channel.set(0, SlotState::ready, true);
  EXPECT_EQ(channel.step(), 0);
  EXPECT_EQ(channel.on_air.switches(), 0) << "it came back to the same slot";
}

TEST(LiveOnAir, AFrozenOrSilentSlotYieldsToABetterOneOnly) {
  Channel channel;
  channel.set(0, SlotState::ready, true);
  channel.after(second);
  channel.set(0, SlotState::frozen, true);
  EXPECT_EQ(channel.after(10 * second), 0) << "there is no other";
  channel.set(1, SlotState::frozen, true);
  EXPECT_EQ(channel.after(10 * second), 0) << "the other is no better";
  channel.set(1, SlotState::silent, true);
  EXPECT_EQ(channel.after(second), 1);
  channel.set(0, SlotState::ready, true);
  EXPECT_EQ(channel.after(second), 0);
  EXPECT_EQ(channel.on_air.switches(), 2);
}

TEST(LiveOnAir, ReturnsToAPrimaryThatStaysWell) {
  Channel channel;
  channel.set(1, SlotState::ready, true);
  channel.after(second);
  channel.set(0, SlotState::ready, true);
  EXPECT_EQ(channel.after(4 * second), 1);
  channel.set(0, SlotState::starting, false);
  channel.after(2 * second);
  channel.set(0, SlotState::ready, true);
  EXPECT_EQ(channel.after(4 * second), 1) << "it was not well in between";
  EXPECT_EQ(channel.after(2 * second), 0);
}

TEST(LiveOnAir, StaysWithTheBackupWhereThePolicySaysSo) {
  Channel channel({.return_to_primary = false});
  channel.set(1, SlotState::ready, true);
  channel.after(second);
  channel.set(0, SlotState::ready, true);
  EXPECT_EQ(channel.after(60 * second), 1);
}

}  // namespace
}  // namespace relay::transcoder::live
