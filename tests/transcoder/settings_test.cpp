#include "transcoder/settings.hpp"

#include <gtest/gtest.h>

#include "transcoder/transcoder.hpp"

namespace relay::transcoder {
namespace {

Result<Settings> parsed(std::string_view text) {
  return parse_settings<Settings>(text, "t.toml", describe);
}

TEST(Settings, AnEmptyFileIsTheDefaults) {
  auto settings = parsed("");
  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_EQ(settings->encoding.ladder.size(), 6u);
  EXPECT_EQ(settings->photo.renditions.size(), 6u);
  EXPECT_TRUE(settings->sandbox);
}

TEST(Settings, AGivenLadderReplacesTheWholeDefault) {
  auto settings = parsed("[[ladder]]\nwidth = 640\nheight = 360\nkbit_s = 400\n");
  ASSERT_TRUE(settings) << settings.error().message;
  ASSERT_EQ(settings->encoding.ladder.size(), 1u);
  EXPECT_EQ(settings->encoding.ladder[0].width, 640);
  EXPECT_FALSE(settings->encoding.ladder[0].half_rate);
}

TEST(Settings, ImpossibleValuesAreNamedWithTheirPlace) {
  struct Row {
    const char* text;
    const char* place;
    const char* word;
  } rows[] = {
      {"[encoding]\npreset = \"fastest\"\n", "t.toml:2:", "veryfast"},
      {"[encoding]\ncrf = 60.0\n", "t.toml:2:", "51"},
      {"ladder = []\n", "t.toml:1:", "at least one rendition"},
      {"[[ladder]]\nwidth = 640\nheight = 360\nkbit_s = 400\n"
       "[[ladder]]\nwidth = 640\nheight = 360\nkbit_s = 500\n",
       "t.toml:1:", "two renditions of one size"},
      {"[photo]\nrendition = []\n", "t.toml:2:", "at least one width"},
      {"[photo]\nwidths = [1]\n", "t.toml:2:", "unknown"},
  };
  for (const Row& row : rows) {
    auto settings = parsed(row.text);
    ASSERT_FALSE(settings) << row.text;
    EXPECT_TRUE(settings.error().message.starts_with(row.place)) << settings.error().message;
    EXPECT_NE(settings.error().message.find(row.word), std::string::npos)
        << settings.error().message;
  }
}

TEST(ResultOfAnError, SaysWhetherToTryAgain) {
  auto full =
      result_of({ErrorKind::no_space, ErrorSource::upstream, true, "PUT … was answered 507"});
  EXPECT_FALSE(full.ready);
  EXPECT_TRUE(full.retry);
  EXPECT_EQ(full.reason, "the origin's storage is full");
  auto other = result_of({ErrorKind::conflict, ErrorSource::upstream, false, "why"});
  EXPECT_FALSE(other.retry);
  EXPECT_TRUE(other.reason.ends_with("why"));
  auto large = result_of({ErrorKind::too_large, ErrorSource::client, false, "too much"});
  EXPECT_FALSE(large.retry);
  EXPECT_EQ(large.reason, "too much");
}

}  // namespace
}  // namespace relay::transcoder
