#include "transcoder/live/mapping.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace relay::transcoder::live {
namespace {

constexpr std::int64_t ms = 1000, second = 1'000'000;

TEST(LiveUnwrapper, GoesOnOverTheEndOfItsBits) {
  Unwrapper flv(32), ts(33);
  std::int64_t turn32 = std::int64_t{1} << 32, turn33 = std::int64_t{1} << 33;
  EXPECT_EQ(flv.next(turn32 - 40), turn32 - 40);
  EXPECT_EQ(flv.next(0), turn32);
  EXPECT_EQ(flv.next(40), turn32 + 40);
  EXPECT_EQ(ts.next(turn33 - 3600), turn33 - 3600);
  EXPECT_EQ(ts.beside(3600), turn33 + 3600) << "a presentation time behind the wrap";
  EXPECT_EQ(ts.next(1800), turn33 + 1800);
  EXPECT_EQ(ts.next(turn33 - 1800), turn33 - 1800) << "and back again";
}

TEST(LiveCompositionOffset, LeavesAloneWhatReorderingExplains) {
  CompositionOffset offset;
  for (int i = 0; i < 100; ++i)
    for (std::int64_t composition : {80 * ms, 200 * ms, 0 * ms, 40 * ms})
      EXPECT_EQ(offset.next(composition), 0);
}

TEST(LiveCompositionOffset, MovesDecodingTimesThatAreOffToThePresentation) {
  for (std::int64_t off : {-700 * ms, -40 * ms, 5 * second}) {
    CompositionOffset offset;
    offset.next(off + 80 * ms);
    offset.next(off);
    for (int i = 0; i < 100; ++i) {
      EXPECT_EQ(offset.next(off + 120 * ms), off);
      EXPECT_EQ(offset.next(off), off);
    }
    for (int i = 0; i < 64; ++i) offset.next(0);
    EXPECT_EQ(offset.next(0), 0) << "and back, when the stream has changed";
  }
}

// A publisher whose pictures arrive every 40 ms.
struct Publisher {
  Mapping mapping;
  std::int64_t dts = 7'000 * second, arrival = 100 * second;
  std::int64_t shown = 0;  // on the channel clock, of the last packet

  explicit Publisher(const MappingRules& rules = {}) : mapping(rules) {
    mapping.begin(dts, arrival);
  }
  std::int64_t step(std::int64_t dts_step = 40 * ms, std::int64_t arrival_step = 40 * ms) {
    dts += dts_step;
    arrival += arrival_step;
    shown = dts + mapping.offset(Track::picture, dts, arrival);
    return shown - arrival;
  }
  std::int64_t sound_at(std::int64_t time) {
    return time + mapping.offset(Track::sound, time, arrival) - arrival;
  }
};

TEST(LiveMapping, ShowsEachPictureTheDelayAfterItsArrivalAndOnTheGrid) {
  Publisher publisher;
  for (int i = 0; i < 500; ++i) {
    EXPECT_NEAR(static_cast<double>(publisher.step()), 150 * ms, 20 * ms);
    EXPECT_EQ(publisher.shown % (40 * ms), 0);
  }
  EXPECT_EQ(publisher.mapping.jumps(), 0);
}

TEST(LiveMapping, SoundGoesWithThePicture) {
  Publisher publisher;
  std::int64_t lead = publisher.step();
  EXPECT_EQ(publisher.sound_at(publisher.dts + 30 * ms), lead + 30 * ms);
}

TEST(LiveMapping, ALateBurstDoesNotMoveIt) {
  Publisher publisher;
  std::int64_t before = publisher.step();
  publisher.step(40 * ms, 2 * second);                      // the network stood still …
  for (int i = 0; i < 49; ++i) publisher.step(40 * ms, 0);  // … and gives all at once
  for (int i = 0; i < 100; ++i) EXPECT_EQ(publisher.step(), before);
  EXPECT_EQ(publisher.mapping.jumps(), 0);
}

TEST(LiveMapping, AClockThatJumpsBackIsMappedAnewAtOnce) {
  Publisher publisher;
  publisher.step();
  EXPECT_NEAR(static_cast<double>(publisher.step(-5000 * second)), 150 * ms, 20 * ms);
  EXPECT_EQ(publisher.mapping.jumps(), 1);
}

TEST(LiveMapping, AClockThatJumpsAheadIsMappedAnewAtOnce) {
  Publisher publisher;
  publisher.step();
  EXPECT_NEAR(static_cast<double>(publisher.step(37'600 * second)), 150 * ms, 20 * ms);
  EXPECT_EQ(publisher.mapping.jumps(), 1);
}

TEST(LiveMapping, TheOtherTrackMakesTheSameJump) {
  Publisher publisher;
  publisher.step();
  publisher.sound_at(publisher.dts);
  std::int64_t old_clock = publisher.dts;
  publisher.step(900 * second);
  // Sound of before the jump still comes, then it jumps too.
  EXPECT_NEAR(static_cast<double>(publisher.sound_at(old_clock + 40 * ms)), 150 * ms, 60 * ms);
  std::int64_t sound_lead = publisher.sound_at(publisher.dts + 17 * ms);
  EXPECT_EQ(sound_lead, publisher.shown - publisher.arrival + 17 * ms);
  EXPECT_EQ(publisher.mapping.jumps(), 1);
}

TEST(LiveMapping, APauseThatTheClockKnowsOfIsNoJump) {
  Publisher publisher;
  std::int64_t before = publisher.step();
  EXPECT_EQ(publisher.step(60 * second, 60 * second), before);
  EXPECT_EQ(publisher.mapping.jumps(), 0);
}

TEST(LiveMapping, WhoSendsFasterThanTimeGainsNoDelay) {
  Publisher publisher;
  std::int64_t longest = 0;
  for (int i = 0; i < 5000; ++i) longest = std::max(longest, publisher.step(40 * ms, 4 * ms));
  EXPECT_LE(longest, 150 * ms + 2 * second + 40 * ms);
  EXPECT_GT(publisher.mapping.jumps(), 10);
  for (int i = 0; i < 100; ++i) publisher.step();
  EXPECT_NEAR(static_cast<double>(publisher.step()), 150 * ms, 200 * ms);
}

TEST(LiveMapping, WhoSendsSlowerThanTimeIsNotLateForLong) {
  Publisher publisher;
  int late = 0;
  for (int i = 0; i < 1000; ++i) late += publisher.step(40 * ms, 50 * ms) < 0;
  EXPECT_LT(late, 350);
  EXPECT_GT(publisher.mapping.jumps(), 0);
}

// A network that lets bytes through at a fixed rate with a bucket: bursts, then a trickle.
TEST(LiveMapping, ATokenBucketNeitherMovesItForGoodNorGrowsTheDelay) {
  Publisher publisher;
  std::int64_t longest = 0;
  for (int round = 0; round < 60; ++round) {
    publisher.step(40 * ms, second);                          // the bucket was empty for a second
    for (int i = 0; i < 24; ++i) publisher.step(40 * ms, 0);  // and is emptied again
    longest = std::max(longest, publisher.step(40 * ms, 40 * ms));
  }
  EXPECT_LE(longest, 150 * ms + 2 * second);
  for (int i = 0; i < 200; ++i) publisher.step();
  EXPECT_NEAR(static_cast<double>(publisher.step()), 150 * ms, 200 * ms);
}

TEST(LiveMapping, VariableStepsOfTheClockAreNoJumps) {
  Publisher publisher;
  for (int i = 0; i < 400; ++i) {
    std::int64_t step = (i % 7 + 1) * 33 * ms;  // from 30 to 4 pictures a second
    EXPECT_NEAR(static_cast<double>(publisher.step(step, step)), 150 * ms, 20 * ms);
  }
  EXPECT_EQ(publisher.mapping.jumps(), 0);
}

TEST(LiveMapping, DriftIsCorrectedByWholeFramesAndStaysSmall) {
  for (std::int64_t ppm : {-300, 300}) {
    Publisher publisher;
    std::int64_t least = INT64_MAX, most = INT64_MIN, exact = publisher.arrival;
    for (int i = 0; i < 25 * 3600; ++i) {
      exact += 40 * ms;
      std::int64_t arrival = exact - exact * ppm / 1'000'000 + 100 * second * ppm / 1'000'000;
      std::int64_t lead = publisher.step(40 * ms, arrival - publisher.arrival);
      least = std::min(least, lead);
      most = std::max(most, lead);
      EXPECT_EQ(publisher.shown % (40 * ms), 0);
    }
    EXPECT_GT(least, 50 * ms) << ppm;
    EXPECT_LT(most, 250 * ms) << ppm;
    EXPECT_EQ(publisher.mapping.jumps(), 0);
  }
}

TEST(LiveMapping, SoundThatTravelsBehindItsPictureMakesRoomForItself) {
  Publisher publisher;
  for (int i = 0; i < 200; ++i) {
    publisher.step();
    publisher.sound_at(publisher.dts - 700 * ms);  // MPEG-TS sends pictures well ahead
  }
  EXPECT_GE(publisher.sound_at(publisher.dts - 700 * ms), 100 * ms);
  EXPECT_LE(publisher.sound_at(publisher.dts - 700 * ms), 200 * ms);
}

// As ffmpeg and OBS send it by SRT: so many AAC frames in one PES packet, behind their pictures,
// and one time, that of the first.
TEST(LiveMapping, SoundThatComesInBundlesIsInTimeFromItsFirstFrameOn) {
  constexpr std::int64_t frame = 1'024'000 / 48;
  for (std::int64_t bundle : {1, 8, 16}) {
    MappingRules rules;
    rules.sound_least_us = 100 * ms;
    Publisher publisher(rules);
    std::int64_t heard = publisher.dts, least = INT64_MAX, most = 0;
    for (int i = 0; i < 25 * 60; ++i) {
      most = std::max(most, publisher.step());
      for (; publisher.dts - heard >= bundle * frame; heard += bundle * frame) {
        std::int64_t lead = publisher.sound_at(heard);
        if (i > 50) least = std::min(least, lead);
      }
    }
    EXPECT_GE(least, 100 * ms) << bundle;
    EXPECT_LE(most, 150 * ms + bundle * frame + 80 * ms) << bundle;
    EXPECT_LE(publisher.mapping.jumps(), 1) << bundle;
  }
}

}  // namespace
}  // namespace relay::transcoder::live
