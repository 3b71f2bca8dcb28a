// How a run ends: resumed, refused by its sink, or failed with a reason.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/transcoder/pipeline_story.hpp"

namespace relay::transcoder {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class PipelineEnd : public PipelineStory {};

TEST_F(PipelineEnd, GoesOnWhereAnEarlierTryStopped) {
  std::string file = dir / "a.mkv";
  make(
      "-f lavfi -i testsrc2=s=320x180:r=25:d=8 -f lavfi -i sine=d=8 -c:v mpeg4 -bf 2 -g 60 "
      "-c:a pcm_s16le " +
      file);
  Encoding encoding;
  encoding.ladder = {{160, 90, 100, true}, {320, 180, 200, false}};
  expect_ready(file, encoding);
  RecordingSink whole = std::move(sink);
  sink = {};
  sink.before = {{"audio", {3, false}}, {"v180", {2, false}}, {"v90", {3, false}}};
  expect_ready(file, encoding);
  for (const auto& [name, segments] : sink.segments) {
    auto skipped = static_cast<std::size_t>(sink.before[name].segments);
    ASSERT_EQ(segments.size() + skipped, whole.segments[name].size()) << name;
    EXPECT_EQ(sink.tracks[name].extradata, whole.tracks[name].extradata) << name;
    for (std::size_t i = 0; i < segments.size(); ++i) {
      const Segment& expected = whole.segments[name][i + skipped];
      EXPECT_EQ(segments[i].number, expected.number) << name;
      EXPECT_EQ(segments[i].start, expected.start) << name;
      EXPECT_EQ(segments[i].duration, expected.duration) << name;
      ASSERT_EQ(segments[i].samples.size(), expected.samples.size()) << name;
      EXPECT_EQ(segments[i].samples[0].dts, expected.samples[0].dts) << name;
    }
  }
  EXPECT_EQ(sink.segments["audio"][0].samples[5].data, whole.segments["audio"][3].samples[5].data);
  // The same pictures: frame 75 and on look alike.
  auto before = brightness(write_track(whole, "v180", dir), 8, 8);
  auto after = brightness(write_track(sink, "v180", dir), 8, 8);
  ASSERT_EQ(after.size(), before.size() - 75 * 64);
  for (std::size_t i = 0; i < after.size(); ++i)
    ASSERT_NEAR(after[i], before[i + 75 * 64], 12) << "frame " << i / 64;
}

TEST_F(PipelineEnd, RenditionsThatEndedGetNothingMore) {
  std::string file = dir / "a.mkv";
  make("-f lavfi -i testsrc2=s=160x90:r=25:d=3 -f lavfi -i sine=d=3 -c:v mpeg4 -c:a pcm_s16le " +
       file);
  sink.before = {{"v90", {2, true}}, {"audio", {2, true}}};
  auto result = run(file, sink);
  ASSERT_TRUE(result && result->ready);
  EXPECT_THAT(sink.names(), ElementsAre("audio", "v90"));
  EXPECT_TRUE(sink.order.empty());
}

TEST_F(PipelineEnd, TheSinksErrorEndsTheRun) {
  std::string file = dir / "a.mkv";
  make("-f lavfi -i testsrc2=s=320x180:r=25:d=10 -f lavfi -i sine=d=10 -c:v mpeg4 -c:a pcm_s16le " +
       file);
  sink.fail_after = 3;
  auto result = run(file, sink);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::no_space);
  EXPECT_EQ(sink.order.size(), 3u);
}

TEST_F(PipelineEnd, FilesThatAreNotMediaFailWithAReason) {
  make("-f lavfi -i testsrc2=s=64x64:r=25:d=1 -c:v mpeg4 " + (dir / "good.mp4").string());
  std::string good = output_of("cat " + (dir / "good.mp4").string());
  struct Case {
    std::string bytes, reason;
  };
  const Case cases[] = {
      {"", "empty"},
      {"this is only text\n", "text"},
      {"#EXTM3U\n#EXTINF:6,\n/etc/passwd\n", "HLS playlist"},
      {"ffconcat version 1.0\nfile '/etc/passwd'\n", "list of other files"},
      {"\xFF\xD8\xFF\xE0 picture", "JPEG"},
      {good.substr(0, good.size() / 2), "moov"},
      {std::string(5000, '\x55'), "not a video or audio file"},
  };
  for (const Case& c : cases) {
    std::string file = dir / "bad.mp4";
    std::ofstream(file, std::ios::binary) << c.bytes;
    auto result = run(file, sink);
    ASSERT_TRUE(result) << c.reason;
    EXPECT_FALSE(result->ready);
    EXPECT_FALSE(result->retry);
    EXPECT_THAT(result->reason, HasSubstr(c.reason));
  }
  EXPECT_TRUE(sink.tracks.empty());
}

TEST_F(PipelineEnd, LimitsAreNamed) {
  std::string file = dir / "a.mkv";
  make("-f lavfi -i color=red:s=400x300:r=25:d=2 -c:v mpeg4 " + file);
  int fd = open(file.c_str(), O_RDONLY);
  SourceLimits limits;
  limits.width_max = 320;
  EXPECT_THAT(run_video({}, limits, fd, sink)->reason, HasSubstr("400x300, at most 320x4320"));
  limits = {};
  limits.duration_max = std::chrono::seconds(1);
  EXPECT_THAT(run_video({}, limits, fd, sink)->reason, HasSubstr("longer than"));
  limits = {};
  limits.wall_clock_max = std::chrono::milliseconds(0);
  EXPECT_THAT(run_video({}, limits, fd, sink)->reason, HasSubstr("time allowed"));
  close(fd);
}

}  // namespace
}  // namespace relay::transcoder
