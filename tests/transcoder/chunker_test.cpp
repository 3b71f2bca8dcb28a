#include "transcoder/chunker.hpp"

#include <gtest/gtest.h>

namespace relay::transcoder {
namespace {

std::vector<std::int64_t> cuts(const Chunker& chunker, std::int64_t segments) {
  std::vector<std::int64_t> frames;
  for (std::int64_t i = 0; i < segments; ++i) frames.push_back(chunker.first_frame(i));
  return frames;
}
using Frames = std::vector<std::int64_t>;

TEST(Chunker, ShortSegmentsFirstThenSixSeconds) {
  EXPECT_EQ(cuts(Chunker::regular({25, 1}, false), 6), (Frames{0, 25, 75, 125, 275, 425}));
  EXPECT_EQ(cuts(Chunker::regular({60000, 1001}, true), 5), (Frames{0, 60, 180, 300, 660}));
  EXPECT_EQ(cuts(Chunker::regular({25, 2}, true), 4), (Frames{0, 12, 38, 64}));
}

TEST(Chunker, SegmentsAndCutsAreInversesAtEveryFrame) {
  for (Fraction rate : {Fraction{25, 1}, Fraction{24000, 1001}, Fraction{10, 1}, Fraction{60, 1}}) {
    Chunker chunker = Chunker::regular(rate, false);
    std::int64_t segment = -1;
    for (std::int64_t frame = 0; frame < 2000; ++frame) {
      if (chunker.is_cut(frame)) {
        EXPECT_EQ(chunker.first_frame(++segment), frame);
        EXPECT_TRUE(chunker.is_key(frame));
      }
      EXPECT_EQ(chunker.segment_of(frame), segment);
    }
  }
}

TEST(Chunker, NoSegmentRoundsAboveSixSeconds) {
  for (double rate : {10.3, 12.4, 14.977, 23.976, 29.97, 55.5, 59.94}) {
    for (bool even : {false, true}) {
      Fraction fraction{static_cast<std::int64_t>(rate * 1000), 1000};
      Chunker chunker = Chunker::regular(fraction, even);
      for (std::int64_t i = 0; i < 20; ++i)
        EXPECT_LT(static_cast<double>(chunker.first_frame(i + 1) - chunker.first_frame(i)) /
                      fraction.value(),
                  6.5)
            << rate;
    }
  }
}

TEST(Chunker, KeysEveryTwoSeconds) {
  Chunker chunker = Chunker::regular({25, 1}, false);
  Frames keys;
  for (std::int64_t frame = 0; frame <= 275; ++frame)
    if (chunker.is_key(frame)) keys.push_back(frame);
  EXPECT_EQ(keys, (Frames{0, 25, 75, 125, 175, 225, 275}));
}

TEST(Chunker, CutsAtTheSourcesOwnKeys) {
  // Keys every 2.56 s at 25 fps: whole groups only, never above 6 s.
  Frames keys = {0, 64, 128, 192, 256, 320, 384};
  ASSERT_TRUE(Chunker::fits({25, 1}, keys, 400));
  Chunker chunker = Chunker::at_keys({25, 1}, keys, 400);
  EXPECT_EQ(cuts(chunker, 6), (Frames{0, 64, 128, 192, 320, INT64_MAX}));
  EXPECT_EQ(chunker.segment_of(399), 4);
  EXPECT_TRUE(chunker.is_key(256));
  EXPECT_FALSE(chunker.is_key(255));
}

TEST(Chunker, RefusesKeysTooFarApart) {
  EXPECT_FALSE(Chunker::fits({25, 1}, {0, 170}, 200));
  EXPECT_FALSE(Chunker::fits({25, 1}, {0, 50}, 50 + 163));
  EXPECT_FALSE(Chunker::fits({25, 1}, {3}, 50));
  EXPECT_FALSE(Chunker::fits({25, 1}, {}, 50));
  EXPECT_TRUE(Chunker::fits({25, 1}, {0}, 150));
}

}  // namespace
}  // namespace relay::transcoder
