// What is wrong with a source that is published all the same, and is told.
#include "transcoder/flaws.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "common/media/job.hpp"
#include "tests/transcoder/pipeline_story.hpp"

namespace relay::transcoder {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::MatchesRegex;

constexpr std::int64_t second = 1'000'000'000;

TEST(Flaws, AnEarlyEndIsToldFromASecondOn) {
  EXPECT_EQ(early_end({12'340'000'000, 60 * second}),
            "the file ends early: 12.3 s of the 60.0 s that it announces could be read");
  EXPECT_TRUE(early_end({2 * second, 3 * second}));
  EXPECT_FALSE(early_end({2 * second, 2'999'000'000}));
  EXPECT_FALSE(early_end({70 * second, 60 * second})) << "more than it announced";
}

TEST(Flaws, WhatCouldNotBeDecodedIsToldWhenItIsMoreThanACut) {
  EXPECT_EQ(damaged_picture({250, 12}), "12 of 250 pictures are damaged or could not be decoded");
  EXPECT_EQ(damaged_sound({430, 3}),
            "3 of 430 pieces of the sound could not be decoded and are left out");
  EXPECT_FALSE(damaged_picture({250, 2}));
  EXPECT_FALSE(damaged_sound({430, 0}));
}

TEST(Flaws, SentencesFitIntoAResult) {
  DecodedCount most{INT64_MAX, INT64_MAX};
  for (auto& sentence : {early_end({0, INT64_MAX}), damaged_picture(most), damaged_sound(most)}) {
    ASSERT_TRUE(sentence);
    EXPECT_LE(sentence->size(), media::warning_bytes_max);
  }
}

class FlawedSource : public PipelineStory {
 protected:
  std::vector<std::string> warnings(const std::string& file, const Encoding& encoding = {}) {
    sink = {};
    expect_ready(file, encoding);
    return answer.warnings;
  }
  void cut(const std::string& file, double share) {
    auto bytes = static_cast<double>(std::filesystem::file_size(file));
    std::filesystem::resize_file(file, static_cast<std::uintmax_t>(bytes * share));
  }
};

TEST_F(FlawedSource, AFileThatWasCutOffSaysHowMuchOfItWasThere) {
  std::string inputs = "-f lavfi -i testsrc2=s=320x180:r=25:d=8 -f lavfi -i sine=d=8 ";
  std::string mp4 = dir / "a.mp4", mkv = dir / "a.mkv";
  make(inputs + "-c:v libx264 -g 50 -c:a aac -movflags +faststart " + mp4);
  make(inputs + "-c:v mpeg4 -c:a pcm_s16le " + mkv);
  constexpr auto told = R"(the file ends early: [3-5]\.[0-9] s of the 8\.0 s that it announces .*)";
  for (const std::string& file : {mp4, mkv}) {
    EXPECT_THAT(warnings(file), IsEmpty()) << file;
    cut(file, 0.5);
    EXPECT_THAT(warnings(file), ElementsAre(MatchesRegex(told))) << file;
  }
  EXPECT_THAT(warnings(mp4, no_passthrough()), ElementsAre(MatchesRegex(told)));
}

TEST_F(FlawedSource, WhatLastsLongerThanItsOtherTrackIsWhole) {
  // The first announces the length of each track, the second that of the longest one only.
  for (const char* name : {"a.mp4", "a.mkv"}) {
    std::string file = dir / name, codecs = "-c:v libx264 -c:a aac " + file;
    make("-f lavfi -i testsrc2=s=320x180:r=25:d=2 -f lavfi -i sine=d=5 " + codecs);
    EXPECT_THAT(warnings(file), IsEmpty()) << name;
    make("-f lavfi -i testsrc2=s=320x180:r=25:d=5 -f lavfi -i sine=d=2 " + codecs);
    EXPECT_THAT(warnings(file), IsEmpty()) << name;
  }
}

TEST_F(FlawedSource, AnAnnouncementThatCannotBeRightIsNotBelieved) {
  std::string file = dir / "a.mkv";
  make("-f lavfi -i testsrc2=s=320x180:r=25:d=2 -c:v mpeg4 " + file);
  std::string bytes = output_of("cat " + file);
  std::size_t duration = bytes.find("\x44\x89\x88");  // an EBML double: milliseconds
  ASSERT_NE(duration, bytes.npos);
  auto told = [&](std::string_view milliseconds) {
    bytes.replace(duration + 3, milliseconds.size(), milliseconds);
    std::ofstream(file, std::ios::binary) << bytes;
    return warnings(file);
  };
  EXPECT_THAT(told("\x40\xC3\x88"), ElementsAre(MatchesRegex(".*2.0 s of the 10.0 s.*")));
  EXPECT_THAT(told("\x42\x6D\x1A"), IsEmpty()) << "30 years";
}

TEST_F(FlawedSource, DamagedPicturesAndSoundAreCounted) {
  std::string whole = dir / "a.mkv", file = dir / "b.mkv";
  make(
      "-f lavfi -i testsrc2=s=320x180:r=25:d=4 -f lavfi -i sine=d=4 -c:v libx264 -g 25 "
      "-c:a aac " +
      whole);
  make("-i " + whole + " -c copy -bsf:v noise=amount=300 -bsf:a noise=amount=20 " + file);
  EXPECT_THAT(warnings(file, no_passthrough()),
              ElementsAre(MatchesRegex("[0-9]+ of [0-9]+ pictures are damaged .*"),
                          MatchesRegex("[0-9]+ of [0-9]+ pieces of the sound could not .*")));
}

}  // namespace
}  // namespace relay::transcoder
