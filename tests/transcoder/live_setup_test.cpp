#include "transcoder/live/setup.hpp"

#include <gtest/gtest.h>

namespace relay::transcoder::live {
namespace {

SourceFacts picture(int width, int height, Fraction rate) {
  SourceFacts facts;
  facts.has_picture = true;
  facts.picture.width = width;
  facts.picture.height = height;
  facts.picture.frame_rate = rate;
  return facts;
}

std::vector<std::string> names(const media::LiveSetup& setup) {
  std::vector<std::string> result;
  for (const media::LiveRendition& each : setup.renditions) result.push_back(each.name);
  return result;
}

TEST(LiveSetup, KeepsTheTopAndTheCheapestRungOfALadderThatIsTooLong) {
  auto setup = decide_setup(picture(1920, 1080, {25, 1}), {}, {}, {.rungs_max = 3});
  EXPECT_EQ(names(setup), (std::vector<std::string>{"v1080", "v432", "v234", "audio"}));
  setup = decide_setup(picture(1920, 1080, {25, 1}), {}, {}, {.rungs_max = 1});
  EXPECT_EQ(names(setup), (std::vector<std::string>{"v1080", "audio"}));
  setup = decide_setup(picture(640, 360, {25, 1}), {}, {}, {});
  EXPECT_EQ(names(setup), (std::vector<std::string>{"v360", "v234", "audio"}));
}

TEST(LiveSetup, AChannelMayCapItsLadder) {
  auto source = picture(1920, 1080, {25, 1});
  auto setup = decide_setup(source, {.rungs_max = 2}, {}, {.rungs_max = 4});
  EXPECT_EQ(names(setup), (std::vector<std::string>{"v1080", "v234", "audio"}));
  setup = decide_setup(source, {.rungs_max = 8}, {}, {.rungs_max = 1});
  EXPECT_EQ(names(setup), (std::vector<std::string>{"v1080", "audio"}))
      << "not above the machine's";
  setup = decide_setup(source, {.height_max = 719}, {}, {.rungs_max = 2});
  EXPECT_EQ(names(setup), (std::vector<std::string>{"v540", "v234", "audio"}));
  setup = decide_setup(source, {.height_max = 100}, {}, {});
  EXPECT_EQ(names(setup), (std::vector<std::string>{"v234", "audio"})) << "one always stays";
}

TEST(LiveSetup, GroupsBeginWhereEveryRungHasAFrame) {
  auto setup = decide_setup(picture(1280, 720, {50, 1}), {.group_ms = 1980}, {}, {});
  EXPECT_EQ(setup.group_frames % 2, 0);
  EXPECT_EQ(setup.renditions[setup.renditions.size() - 2].frame_step, 2);
  EXPECT_EQ(setup.renditions.front().timescale % 50, 0);
}

TEST(LiveSetup, WithoutAPictureThereIsSoundOnTheGridOf25) {
  SourceFacts facts;
  facts.has_sound = true;
  auto setup = decide_setup(facts, {}, {}, {});
  EXPECT_EQ(names(setup), std::vector<std::string>{"audio"});
  EXPECT_EQ(setup.rate_numerator, 25);
  EXPECT_EQ(setup.renditions.front().timescale, 48000);
  EXPECT_FALSE(setup.renditions.front().video);
}

TEST(LiveSetup, WithoutSoundThereIsASilentRendition) {
  auto setup = decide_setup(picture(1280, 720, {30000, 1001}), {}, {}, {});
  EXPECT_EQ(names(setup).back(), "audio");
  EXPECT_EQ(setup.rate_denominator, 1001);
}

TEST(LiveSetup, ASetupIsReadBackAsTheSameRenditions) {
  auto setup = decide_setup(picture(1920, 1080, {50, 1}), {}, {}, {});
  auto again = media::live_setup_from_json(media::to_json(setup));
  ASSERT_TRUE(again);
  auto rungs = pictures_of(*again);
  ASSERT_EQ(rungs.size() + 1, setup.renditions.size());
  EXPECT_EQ(rungs.front().width, 1920);
  EXPECT_EQ(rungs.front().level, 42);
  EXPECT_EQ(rungs.back().frame_step, 2);
}

}  // namespace
}  // namespace relay::transcoder::live
