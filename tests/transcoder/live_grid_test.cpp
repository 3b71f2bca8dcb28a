#include "transcoder/live/grid.hpp"

#include <gtest/gtest.h>

#include "transcoder/live/part_cutter.hpp"
#include "transcoder/sound_encoder.hpp"

namespace relay::transcoder::live {
namespace {

// 25 frames a second, 2 s groups, 4 s segments, 0.5 s parts: parts of 13 and 12 frames.
const Grid grid25(media::live_grid({}, 25, 1, true));

constexpr Units every{}, second{.step = 2}, sound{.sound = true};

TEST(LiveGrid, EveryFrameLiesInThePartThatBeginsBeforeIt) {
  for (const media::LiveSetup& setup :
       {media::live_grid({}, 25, 1, true), media::live_grid({}, 30000, 1001, false),
        media::live_grid({.part_target_ms = 333}, 50, 1, true),
        media::live_grid({.part_target_ms = 1000, .segment_ms = 6000}, 24, 1, false)}) {
    Grid grid(setup);
    std::int64_t from = grid.first_frame_of_segment(1000);
    for (std::int64_t frame = from; frame < from + 3 * setup.segment_frames; ++frame) {
      std::int64_t part = grid.part_of_frame(frame);
      EXPECT_LE(grid.first_frame(part), frame);
      EXPECT_GT(grid.first_frame(part + 1), frame);
      EXPECT_EQ(grid.segment_of(part), grid.segment_of_frame(frame));
    }
  }
}

TEST(LiveGrid, PartsOfASegmentCountFromItsBegin) {
  EXPECT_EQ(grid25.first_part(3), 24);
  EXPECT_EQ(grid25.first_frame(24), 300);
  EXPECT_EQ(grid25.first_frame(25), 313);
  EXPECT_EQ(grid25.first_frame(28), 350);
  EXPECT_TRUE(grid25.part_begins_group(28));
  EXPECT_FALSE(grid25.part_begins_group(29));
  EXPECT_TRUE(grid25.part_ends_segment(31));
  EXPECT_EQ(grid25.within_segment(31), 7);
}

TEST(LiveGrid, RenditionsThatShowEverySecondFrameAndSoundHaveTheSameParts) {
  for (Units units : {every, second, sound}) {
    std::int64_t unit = grid25.first_unit(grid25.first_part(5000), units);
    std::int64_t end = grid25.first_unit(grid25.first_part(5003), units);
    for (; unit < end; ++unit) {
      std::int64_t part = grid25.part_of_unit(unit, units);
      EXPECT_LE(grid25.first_unit(part, units), unit);
      EXPECT_GT(grid25.first_unit(part + 1, units), unit);
    }
  }
}

TEST(LiveGrid, SoundIsCutWithinHalfAnAacFrameOfThePicture) {
  for (std::int64_t part = 80'000; part < 80'100; ++part) {
    double picture_s = static_cast<double>(grid25.first_frame(part)) / 25;
    double sound_s = static_cast<double>(grid25.first_unit(part, sound)) * sound_frame / sound_rate;
    EXPECT_NEAR(picture_s, sound_s, 512.5 / sound_rate);
  }
}

TEST(LivePartCutter, GivesPartsThatAreWhole) {
  PartCutter cutter(grid25, every);
  std::vector<Part> parts;
  // Begins in the middle of a part: that one is of no use.
  for (std::int64_t frame = 305; frame < 350; ++frame)
    if (auto part = cutter.add(frame, {})) parts.push_back(std::move(*part));
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(parts[0].number, 25);
  EXPECT_EQ(parts[0].samples.size(), 12u);
  EXPECT_EQ(parts[1].samples.size(), 13u);
  EXPECT_EQ(parts[2].number, 27);
}

TEST(LivePartCutter, APartWithAHoleIsDroppedAndTheNextIsWhole) {
  PartCutter cutter(grid25, every);
  std::vector<std::int64_t> numbers;
  for (std::int64_t frame = 300; frame < 400; ++frame) {
    if (frame == 320 || frame == 345) continue;
    if (auto part = cutter.add(frame, {})) numbers.push_back(part->number);
  }
  EXPECT_EQ(numbers, (std::vector<std::int64_t>{24, 26, 28, 29, 30, 31}));
}

}  // namespace
}  // namespace relay::transcoder::live
