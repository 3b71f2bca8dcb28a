// Where production begins: in the midst of a segment, and behind what another transcoder left.
#include "transcoder/live/beginning.hpp"

#include <gtest/gtest.h>

namespace relay::transcoder::live {
namespace {

// 25 frames a second, segments of 100 frames, two groups of four parts each (13 and 12 frames).
const Grid grid(media::live_grid({}, 25, 1, true));
constexpr std::int64_t number = 40, begin = 4000;

Beginning after(std::int64_t frame, media::LiveJob job = {}) {
  return Beginning(grid, job, frame);
}

media::LiveJob left(std::int64_t picture_part, std::int64_t sound_part) {
  media::LiveJob job;
  job.first_segment = number + 1;
  job.begun = {{"v720", number, picture_part}, {"audio", number, sound_part}};
  return job;
}

TEST(LiveBeginning, WaitsForSomethingToShow) {
  Beginning beginning = after(begin);
  EXPECT_FALSE(beginning.at(begin, false));
  auto stretch = beginning.at(begin + 100, true);
  ASSERT_TRUE(stretch);
  EXPECT_EQ(stretch->first, stretch->end) << "nothing is to be made up for";
  EXPECT_TRUE(stretch->goes_on);
  EXPECT_EQ(beginning.first_part("v720"), grid.first_part(number + 1));
}

TEST(LiveBeginning, InTheMidstOfASegmentItsBeginIsMadeUpForUnlessMostIsOver) {
  Beginning beginning = after(begin + 7);
  auto stretch = beginning.at(begin + 50, true);
  ASSERT_TRUE(stretch);
  EXPECT_EQ(stretch->first, begin);
  EXPECT_EQ(stretch->end, begin + 50);
  EXPECT_EQ(beginning.first_part("audio"), grid.first_part(number));
  EXPECT_FALSE(after(begin).at(begin + 51, true)) << "the next one is near";
}

TEST(LiveBeginning, NothingBeforeWhatMayBeMade) {
  media::LiveJob job;
  job.first_segment = number + 1;
  Beginning beginning = after(begin, job);
  EXPECT_FALSE(beginning.at(begin + 20, true));
  beginning.not_before(number + 2);
  EXPECT_FALSE(beginning.at(begin + 120, true));
  EXPECT_TRUE(beginning.at(begin + 220, true));
  EXPECT_FALSE(after(begin + 100).at(begin + 10, true)) << "it was over when this began";
}

TEST(LiveBeginning, WhatWasLeftHalfDoneIsTakenUpBehindTheLastPartOfEachRendition) {
  Beginning beginning = after(begin + 60, left(3, 2));
  auto stretch = beginning.at(begin + 90, true);
  ASSERT_TRUE(stretch);
  EXPECT_EQ(stretch->first, begin + 25) << "the third part, of the sound";
  EXPECT_EQ(stretch->end, begin + 90);
  EXPECT_TRUE(stretch->goes_on);
  EXPECT_EQ(beginning.first_part("v720"), grid.first_part(number) + 3);
  EXPECT_EQ(beginning.first_part("audio"), grid.first_part(number) + 2);
  // Later it begins as ever.
  ASSERT_TRUE(beginning.at(begin + 300, true));
  EXPECT_EQ(beginning.first_part("v720"), grid.first_part(number + 3));
}

TEST(LiveBeginning, ARenditionThatWasNotBeingMadeBeginsWithTheNextSegment) {
  Beginning beginning = after(begin + 60, left(3, 3));
  auto stretch = beginning.at(begin + 90, true);
  ASSERT_TRUE(stretch);
  EXPECT_EQ(stretch->first, begin + 38) << "nothing is made for it";
  EXPECT_EQ(beginning.first_part("v1080"), grid.first_part(number + 1));
}

TEST(LiveBeginning, ItIsFinishedEvenIfNobodyComesBack) {
  Beginning beginning = after(begin + 60, left(3, 2));
  EXPECT_FALSE(beginning.at(begin + 124, false));
  auto stretch = beginning.at(begin + 125, false);
  ASSERT_TRUE(stretch);
  EXPECT_EQ(stretch->first, begin + 25);
  EXPECT_EQ(stretch->end, begin + 100);
  EXPECT_FALSE(stretch->goes_on);
  EXPECT_FALSE(beginning.at(begin + 126, false));
}

TEST(LiveBeginning, APictureInTheNextSegmentMakesUpForBoth) {
  Beginning beginning = after(begin + 60, left(7, 8));
  auto stretch = beginning.at(begin + 170, true);
  ASSERT_TRUE(stretch);
  EXPECT_EQ(stretch->first, begin + 88);
  EXPECT_EQ(stretch->end, begin + 170);
  EXPECT_EQ(beginning.first_part("audio"), grid.first_part(number + 1));
}

TEST(LiveBeginning, WhatLiesTooFarBackIsGivenUp) {
  Beginning beginning = after(begin + 60, left(1, 1));
  auto stretch = beginning.at(begin + 300, true);
  ASSERT_TRUE(stretch);
  EXPECT_EQ(stretch->first, begin + 300);
  EXPECT_EQ(beginning.first_part("v720"), grid.first_part(number + 3));
}

}  // namespace
}  // namespace relay::transcoder::live
