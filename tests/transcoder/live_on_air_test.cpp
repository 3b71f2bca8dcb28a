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
    for (std::size_t i = 0; i < 2; ++i) {
      if (!sends[i]) continue;
      slots[i].fresh_us = now;
      slots[i].was_fresh = true;
    }
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

TEST(LiveOnAir, ASlotWhoseFirstPictureIsNotDueYetIsStartingNotLost) {
  Channel channel;
  channel.set(0, SlotState::ready, false);
  EXPECT_EQ(channel.after(second), -1);
  EXPECT_EQ(channel.on_air.states()[0], SlotState::starting);
}

TEST(LiveOnAir, ALostSlotIsHeldThenTheOtherOneTakesOver) {
  Channel channel;
  channel.set(0, SlotState::ready, true);
  channel.set(1, SlotState::ready, true);
  channel.after(second);
  channel.set(0, SlotState::ready, false);
  EXPECT_EQ(channel.after(900'000), 0);
  EXPECT_EQ(channel.on_air.states()[0], SlotState::ready);
  EXPECT_EQ(channel.after(200'000), 1);
  EXPECT_EQ(channel.on_air.states()[0], SlotState::lost);
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

// One programme on both slots, the backup some time behind: when it changes and when it stands.
struct Programme {
  std::int64_t moves_us, stands_us, behind_us;
  bool moves_at(std::int64_t us) const { return us % (moves_us + stands_us) < moves_us; }
};

enum class Sense { picture, sound };

struct Pair : Channel {
  Pair(Programme carried, Sense what, OnAirRules rules = {})
      : Channel(rules), programme(carried), sense(what) {
    for (int slot : {0, 1}) set(slot, SlotState::ready, true);
  }
  Programme programme;
  Sense sense;
  std::array<Standstill, 2> standstills;
  bool broken = false;  // the primary stands whatever the programme does

  int step() {
    for (std::size_t i = 0; i < 2; ++i) {
      std::int64_t at = now + frame - (i == 1 ? programme.behind_us : 0);
      if (programme.moves_at(at) && !(broken && i == 0)) standstills[i].end(now + frame);
      auto& standing = sense == Sense::picture ? slots[i].picture : slots[i].sound;
      standing = standstills[i].at(now + frame);
    }
    return Channel::step();
  }
  /// How long until `slot` is on air; 20 s at most.
  std::int64_t until(int slot) {
    std::int64_t begin = now;
    while (step() != slot && now - begin < 20 * second) continue;
    return now - begin;
  }
  void pass(std::int64_t us) {
    for (std::int64_t end = now + us; now < end;) step();
  }
};

constexpr Programme always_moving{second, 0, 2 * second};

TEST(LiveOnAir, WhatStandsWhileTheOtherMovesYieldsWithinAGroupOfTwoSeconds) {
  for (Sense sense : {Sense::picture, Sense::sound}) {
    Pair pair(always_moving, sense);
    pair.pass(10 * second);
    pair.broken = true;
    std::int64_t took = pair.until(1);
    EXPECT_GE(took, second) << "a hiccup is none";
    EXPECT_LE(took, 3 * second / 2);
    EXPECT_EQ(pair.on_air.states()[0],
              sense == Sense::picture ? SlotState::frozen : SlotState::silent);
    pair.pass(8 * second);
    EXPECT_EQ(pair.until(1), frame) << "it has not moved since";
    pair.broken = false;
    took = pair.until(0);
    EXPECT_GE(took, 5 * second) << "it was well for so long";
    EXPECT_LE(took, 6 * second);
    EXPECT_EQ(pair.on_air.switches(), 2);
  }
}

TEST(LiveOnAir, PausesOfTheProgrammeAreNoFault) {
  // Speech with a gate on its microphone, slides, a film that fades to black.
  for (Programme programme :
       {Programme{3 * second, 3 * second / 2, second},
        Programme{3 * second, 3 * second / 2, -second}, Programme{frame, 4 * second, 2 * second},
        Programme{10 * second, 3 * second, 2 * second}}) {
    Pair pair(programme, Sense::sound);
    pair.pass(10 * 60 * second);
    EXPECT_LE(pair.on_air.switches(), 2)
        << programme.moves_us << " " << programme.stands_us << " " << programme.behind_us;
  }
}

TEST(LiveOnAir, WhereBothStandTheirOwnPatienceCounts) {
  Pair pair(always_moving, Sense::picture);
  pair.pass(10 * second);
  pair.programme = {0, second, 0};
  pair.pass(9 * second);
  EXPECT_EQ(pair.on_air.states()[0], SlotState::ready);
  EXPECT_EQ(pair.on_air.switches(), 0);
}

TEST(LiveStandstill, ForgetsALongPauseInTime) {
  Standstill standstill;
  EXPECT_FALSE(standstill.at(0).known);
  standstill.end(0);
  standstill.end(3 * second);
  standstill.end(5 * second);
  EXPECT_EQ(standstill.at(6 * second).still_us, second);
  EXPECT_EQ(standstill.at(6 * second).longest_us, 3 * second);
  EXPECT_EQ(standstill.at(124 * second).longest_us, 2 * second);
  EXPECT_EQ(standstill.at(126 * second).longest_us, 0);
}

}  // namespace
}  // namespace relay::transcoder::live
