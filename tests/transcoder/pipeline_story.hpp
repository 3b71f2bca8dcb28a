// The fixture of the pipeline's stories: clips made by the ffmpeg command, run through the whole
// pipeline into a sink that records.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "tests/transcoder/clip.hpp"
#include "transcoder/pipeline.hpp"

namespace relay::transcoder {

// A white flash in frames 25 … 27 of 25 fps, and a beep of the same 120 ms from 1.00 s on.
inline const std::string flash_and_beep =
    "-f lavfi -i \"color=black:s=320x180:r=25:d=3,"
    "drawbox=c=white:t=fill:enable='between(n,25,27)'\" "
    "-f lavfi -i \"aevalsrc='if(between(t,1,1.12),0.5*sin(6283*t),0)':s=48000:d=3\" ";

class PipelineStory : public testing::Test {
 protected:
  void SetUp() override {
    if (std::system("ffmpeg -version >/dev/null 2>&1") != 0) GTEST_SKIP() << "no ffmpeg command";
  }
  void make(const std::string& arguments) { ASSERT_TRUE(ffmpeg(arguments)) << arguments; }
  void expect_ready(const std::string& file, const Encoding& encoding = {}) {
    auto result = run(file, sink, encoding);
    ASSERT_TRUE(result) << result.error().message;
    ASSERT_TRUE(result->ready) << result->reason;
    answer = *result;
    EXPECT_EQ(sink.flaw(), "");
    EXPECT_FALSE(sink.falls);
  }
  // Flash and beep come out together, at 1.00 s.
  void expect_in_step(const std::string& video) {
    std::vector<int> bright = brightness(write_track(sink, video, dir));
    ASSERT_GE(bright.size(), 70u);
    for (int frame = 0; frame < 70; ++frame)
      ASSERT_EQ(bright[static_cast<std::size_t>(frame)] > 128, frame >= 25 && frame <= 27) << frame;
    EXPECT_THAT(middle_of_sound(write_track(sink, "audio", dir)),
                testing::DoubleNear(1.060, 0.001));
  }

  tests::TemporaryFolder dir;
  RecordingSink sink;
  media::JobResult answer;
};

}  // namespace relay::transcoder
