#include "transcoder/ladder.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

namespace relay::transcoder {
namespace {

std::string text(const std::vector<Rendition>& renditions) {
  std::string line;
  for (const Rendition& r : renditions)
    line += fmt::format("{}={}x{}{} ", r.name, r.width, r.height, r.frame_step > 1 ? "/2" : "");
  return line;
}

struct Case {
  int width, height;
  Fraction rate;
  bool halving;
  const char* expect;
};

TEST(Ladder, FitsEverySourceIntoApplesSizes) {
  const Case cases[] = {
      {1920,
       1080,
       {25, 1},
       true,
       "v1080=1920x1080 v720=1280x720 v540=960x540 v432=768x432 v360=640x360 v234=416x234 "},
      {3840,
       2160,
       {60, 1},
       true,
       "v1080=1920x1080 v720=1280x720 v540=960x540 v432=768x432/2 v360=640x360/2 v234=416x234/2 "},
      {3840,
       2160,
       {60, 1},
       false,
       "v1080=1920x1080 v720=1280x720 v540=960x540 v432=768x432 v360=640x360 v234=416x234 "},
      {1080,
       1920,
       {30, 1},
       true,
       "v1080=1080x1920 v720=720x1280 v540=540x960 v432=432x768 v360=360x640 v234=234x416 "},
      {720, 576, {25, 1}, true, "v576=720x576 v432=540x432 v360=450x360 v234=292x234 "},
      {1000, 560, {25, 1}, true, "v560=1000x560 v430=768x430 v358=640x358 v232=416x232 "},
      {426, 240, {25, 1}, true, "v240=426x240 "},
      {640, 360, {60, 1}, true, "v360=640x360 v234=416x234/2 "},
      {161, 121, {25, 1}, true, "v120=160x120 "},
      {1, 1, {25, 1}, true, "v16=16x16 "},
  };
  Encoding encoding;
  for (const Case& c : cases) {
    auto ladder = plan_ladder(c.width, c.height, c.rate, c.halving, encoding.ladder);
    SCOPED_TRACE(fmt::format("{}x{}", c.width, c.height));
    EXPECT_EQ(text(ladder), c.expect);
    for (std::size_t i = 0; i < ladder.size(); ++i) {
      EXPECT_EQ(ladder[i].width % 2, 0);
      EXPECT_EQ(ladder[i].height % 2, 0);
      EXPECT_GE(std::min(ladder[i].width, ladder[i].height), 16);
      for (std::size_t j = 0; j < i; ++j) EXPECT_NE(ladder[i].name, ladder[j].name);
    }
  }
}

TEST(Ladder, TwoRatesOfOneSizeBothStay) {
  std::vector<LadderRung> rungs = {{768, 432, 730, false}, {768, 432, 1100, false}};
  auto ladder = plan_ladder(1920, 1080, {25, 1}, true, rungs);
  EXPECT_EQ(text(ladder), "v432=768x432 v432-730=768x432 ");
}

TEST(Ladder, BitRateFollowsTheFilledPartOfTheBox) {
  auto ladder = plan_ladder(720, 540, {25, 1}, true, {{960, 540, 2000, false}});
  ASSERT_EQ(ladder.size(), 1u);
  EXPECT_EQ(ladder[0].kbit_s, 1500);
}

TEST(Ladder, LevelIsTheLowestThatAllows) {
  EXPECT_EQ(h264_level(416, 234, 30, 290), 13);
  EXPECT_EQ(h264_level(1280, 720, 30, 9000), 31);
  EXPECT_EQ(h264_level(1280, 720, 60, 9000), 32);
  EXPECT_EQ(h264_level(1920, 1080, 30, 15600), 40);
  EXPECT_EQ(h264_level(1920, 1080, 60, 15600), 42);
  EXPECT_EQ(h264_level(3840, 2160, 60, 30000), 52);
}

}  // namespace
}  // namespace relay::transcoder
