#include "transcoder/edge_cut.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace relay::transcoder {
namespace {

constexpr std::int64_t ms = 1'000'000;

std::vector<EdgeFrame> frames(std::int64_t begin, std::int64_t ticks, int count) {
  std::vector<EdgeFrame> made;
  for (int i = 0; i < count; ++i) made.push_back({begin + i * ticks, ticks});
  return made;
}

// 25 pictures a second from 10 s on, two seconds of them.
class EdgeCutTest : public testing::Test {
 protected:
  std::vector<EdgeFrame> full = frames(128'000, 512, 50);
  EdgeFrames lead{full, 12'800};
  EdgeSpan span(std::int64_t from_ms, std::int64_t to_ms) const {
    return exact_span(lead, {from_ms * ms, to_ms * ms});
  }
};

TEST_F(EdgeCutTest, TheFirstPictureIsTheOneThatIsShownAtStart) {
  EXPECT_EQ(span(10'400, 12'000).from_ns, 10'400 * ms);
  EXPECT_EQ(span(10'430, 12'000).from_ns, 10'400 * ms) << "it is shown from 10.40 to 10.44";
  EXPECT_EQ(span(10'439, 12'000).from_ns, 10'440 * ms) << "a time that was rounded";
  EXPECT_EQ(span(9'000, 12'000).from_ns, 10'000 * ms);
}

TEST_F(EdgeCutTest, TheLastPictureBeginsBeforeEnd) {
  EXPECT_EQ(span(10'000, 11'000).to_ns, 11'000 * ms);
  EXPECT_EQ(span(10'000, 11'001).to_ns, 11'000 * ms) << "a time that was rounded";
  EXPECT_EQ(span(10'000, 11'010).to_ns, 11'040 * ms);
  EXPECT_EQ(span(10'000, 99'000).to_ns, 12'000 * ms);
}

TEST_F(EdgeCutTest, ThereIsAlwaysAPicture) {
  EdgeSpan last = span(11'999, 12'000);
  EXPECT_EQ(last.from_ns, 11'960 * ms);
  EXPECT_EQ(last.to_ns, 12'000 * ms);
  EdgeSpan first = span(10'000, 10'001);
  EXPECT_EQ(first.from_ns, 10'000 * ms);
  EXPECT_EQ(first.to_ns, 10'040 * ms);
}

TEST_F(EdgeCutTest, APictureRateThatIsNoWholeNumberIsCutToTheFrame) {
  std::vector<EdgeFrame> ntsc = frames(300'000, 1001, 60);  // 29.97 a second
  EdgeFrames of{ntsc, 30'000};
  for (int k = 1; k < 59; ++k) {
    // As a page tells it: to the microsecond.
    std::int64_t us = 10'000'000 + k * 1'001'000'000ll / 30'000;
    EdgeCut cut = cut_pictures(of, exact_span(of, {us * 1000, 13'000 * ms}));
    EXPECT_EQ(cut.first, static_cast<std::size_t>(k));
    EXPECT_EQ(cut.start, 300'000 + k * 1001);
    EXPECT_EQ(cut.end, 60u);
    EXPECT_EQ(cut.stop, 300'000 + 60 * 1001);
  }
}

TEST_F(EdgeCutTest, RenditionsOfOneRateAreCutAtTheSamePictures) {
  std::vector<EdgeFrame> other = frames(900'000, 3'600, 50);
  EdgeCut cut = cut_pictures({other, 90'000}, span(10'400, 11'000));
  EXPECT_EQ(cut.first, 10u);
  EXPECT_EQ(cut.end, 25u);
  EXPECT_EQ(cut.start, 900'000 + 10 * 3'600);
  EXPECT_EQ(cut.stop, 900'000 + 25 * 3'600);
}

TEST_F(EdgeCutTest, APictureOfHalfTheRateIsShownForTheRestOfItsTime) {
  std::vector<EdgeFrame> half = frames(128'000, 1'024, 25);  // 0.08 s each
  EdgeCut cut = cut_pictures({half, 12'800}, span(10'440, 11'080));
  EXPECT_EQ(cut.first, 5u) << "shown from 10.40 to 10.48";
  EXPECT_EQ(cut.start, 10'440 * 128 / 10);
  EXPECT_EQ(cut.end, 14u) << "shown from 11.04 to 11.12";
  EXPECT_EQ(cut.stop, 11'080 * 128 / 10);
}

TEST_F(EdgeCutTest, OnlyGroupsThatAreCutAreEncodedAgain) {
  const std::size_t keys[] = {0, 10, 20, 30, 40};
  auto runs = [&](std::size_t first, std::size_t end) {
    return runs_of(lead, {first, end, full[first].pts, full[end - 1].end()}, keys);
  };
  using Runs = std::vector<EdgeRun>;
  EXPECT_EQ(runs(13, 50), (Runs{{13, 20, false}, {20, 50, true}})) << "at the beginning";
  EXPECT_EQ(runs(0, 33), (Runs{{0, 30, true}, {30, 33, false}})) << "at the end";
  EXPECT_EQ(runs(13, 33), (Runs{{13, 20, false}, {20, 30, true}, {30, 33, false}}));
  EXPECT_EQ(runs(13, 23), (Runs{{13, 23, false}})) << "two groups, no whole one";
  EXPECT_EQ(runs(13, 18), (Runs{{13, 18, false}}));
  EXPECT_EQ(runs(20, 30), (Runs{{20, 30, true}}));
  EXPECT_EQ(runs_of(lead, {10, 30, full[10].pts + 256, full[29].end() - 256}, keys),
            (Runs{{10, 30, false}}))
      << "whose outer pictures are shown for a part of their time";
}

TEST_F(EdgeCutTest, SoundIsCutAtTheNearestFrame) {
  std::vector<EdgeFrame> aac = frames(480'000, 1'024, 94);
  EdgeFrames of{aac, 48'000};
  for (std::int64_t at : {10'040, 10'400, 10'760, 11'000}) {
    EdgeCut cut = cut_sound(of, {at * ms, 11'600 * ms});
    EXPECT_LE(std::abs(nanoseconds_of(cut.start, 48'000) - at * ms), 1'024 * 1'000 * ms / 96'000);
    EXPECT_LE(std::abs(nanoseconds_of(cut.stop, 48'000) - 11'600 * ms),
              1'024 * 1'000 * ms / 96'000);
  }
  // 12'005 ms is where the last frame ends; a segment of pictures ends within it, or behind it.
  for (std::int64_t end : {11'986, 11'995, 12'020}) {
    EdgeCut head = cut_sound(of, opened({10'321 * ms, end * ms}, true, false));
    EXPECT_EQ(head.end, aac.size()) << "the next segment begins with the frame behind this one";
    EXPECT_GT(head.first, 0u);
    EdgeCut tail = cut_sound(of, opened({10'015 * ms, 11'600 * ms}, false, true));
    EXPECT_EQ(tail.first, 0u);
    EXPECT_LT(tail.end, aac.size());
  }
  EdgeCut none = cut_sound(of, {12'100 * ms, 12'101 * ms});
  EXPECT_EQ(none.end - none.first, 1u) << "sound that ends before the picture";
}

}  // namespace
}  // namespace relay::transcoder
