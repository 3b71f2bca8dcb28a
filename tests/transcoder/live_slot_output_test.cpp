#include "transcoder/live/slot_output.hpp"

#include <gtest/gtest.h>

#include "transcoder/live/canvas.hpp"

namespace relay::transcoder::live {
namespace {

constexpr std::int64_t second = 1'000'000;
const std::string refused = "the sound is coded as opus, which we cannot decode";

media::SlotStatus status_at(SlotOutput& slot, std::int64_t now_us) {
  return slot.status(now_us, true);
}

TEST(LiveSlotOutput, ARefusedTrackIsNoFailureWhileTheOtherOneMayCome) {
  SlotOutput slot{SlotPatience{}};
  slot.begin(0);
  slot.refuse_track(refused);
  EXPECT_EQ(status_at(slot, second).state, media::SlotState::starting);
  slot.add_picture(2 * second, black(64, 36), 2 * second);
  EXPECT_NE(status_at(slot, 4 * second).state, media::SlotState::failed);
}

TEST(LiveSlotOutput, ARefusedTrackAloneIsOneAndIsNamed) {
  SlotOutput slot{SlotPatience{}};
  slot.begin(0);
  slot.refuse_track(refused);
  media::SlotStatus status = status_at(slot, 3 * second + 1);
  EXPECT_EQ(status.state, media::SlotState::failed);
  EXPECT_EQ(status.error, refused);
}

TEST(LiveSlotOutput, WithoutAnyTrackItFailsOnceTheLongestGroupIsOver) {
  SlotOutput slot{SlotPatience{}};
  slot.begin(0);
  EXPECT_EQ(status_at(slot, 9 * second).state, media::SlotState::starting);
  EXPECT_EQ(status_at(slot, 10 * second + 1).state, media::SlotState::failed);
}

}  // namespace
}  // namespace relay::transcoder::live
