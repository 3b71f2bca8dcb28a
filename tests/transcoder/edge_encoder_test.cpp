#include "transcoder/edge_encoder.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/transcoder/clip.hpp"
#include "transcoder/nal.hpp"

namespace relay::transcoder {
namespace {

using std::chrono::steady_clock;

// A second of 25 pictures, a group every ten.
std::string moving(const std::string& size) {
  return "-f lavfi -i testsrc2=r=25:d=1:s=" + size +
         " -pix_fmt yuv420p -c:v libx264 -bf 0 -g 10 -sc_threshold 0 ";
}

class EdgeEncoder : public testing::Test {
 protected:
  void SetUp() override {
    if (std::system("ffmpeg -version >/dev/null 2>&1") != 0) GTEST_SKIP() << "no ffmpeg command";
  }
  void make(const std::string& arguments) { ASSERT_TRUE(ffmpeg(arguments)) << arguments; }

  /// Pictures `first` to `end` - 1 of a file, the first one so many ticks late, the last one cut
  /// off so many before its end.
  Result<EdgePictures> cut(std::size_t first, std::size_t end, std::int64_t late = 0,
                           std::int64_t early = 0) {
    int fd = open(file.c_str(), O_RDONLY);
    media::EdgePiece whole{.bytes = std::filesystem::file_size(file)};
    StopSignal stop(steady_clock::now() + std::chrono::minutes(5));
    auto segment = EdgeSegment::read(fd, whole, true, SourceLimits{}, stop);
    close(fd);
    if (!segment) return std::unexpected(segment.error());
    auto frames = segment->frames().frames;
    EdgeCut wish{first, end, frames[first].pts + late, frames[end - 1].end() - early};
    auto tell = [this]() -> Result<void> {
      ++told;
      return answer;
    };
    return encode_edge(*segment, wish, SourceLimits{}, {.preset = "veryfast"}, tell);
  }

  tests::TemporaryFolder dir;
  std::string file = dir / "source.mp4";
  int told = 0;
  Result<void> answer;  // to who tells that it is still at work
};

std::vector<int> profiles_of(const TrackSpec& track) {
  std::vector<int> found;
  auto sets = read_avcc(track.extradata);
  if (!sets) return found;
  for (BytesView set : sets->sequence_sets) found.push_back(set[1]);
  return found;
}

TEST_F(EdgeEncoder, APictureOfAnotherSizeIsRefused) {
  std::string both = dir / "both.h264", a = dir / "a.h264", b = dir / "b.h264";
  make(moving("96x64") + a);
  make(moving("96x48") + b);
  std::ofstream(both, std::ios::binary) << std::ifstream(a).rdbuf() << std::ifstream(b).rdbuf();
  make("-r 25 -f h264 -i " + both + " -c copy " + file);
  auto made = cut(3, 48);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind, ErrorKind::invalid);
  EXPECT_EQ(made.error().message, "the pictures at the clip's edge change their kind");
  auto first = cut(3, 18);
  ASSERT_TRUE(first) << "where they do not: " << first.error().message;
  EXPECT_EQ(first->segment.samples.size(), 15u);
}

TEST_F(EdgeEncoder, BaselineStaysBaseline) {
  make(moving("96x64") + "-profile:v baseline " + file);
  auto made = cut(3, 25);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_THAT(profiles_of(made->track), testing::Each(FF_PROFILE_H264_BASELINE));
  EXPECT_EQ(profiles_of(made->track).size(), 2u) << "the source's and ours";
}

TEST_F(EdgeEncoder, ALevelThatX264DoesNotKnowIsNoObstacle) {
  make(moving("96x64") + "-bsf:v h264_metadata=level=23 " + file);
  auto made = cut(3, 25);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->segment.samples.size(), 22u);
}

TEST_F(EdgeEncoder, ALongEdgeGivesSignsOfLife) {
  make("-f lavfi -i testsrc2=r=25:d=5:s=96x64 -pix_fmt yuv420p -c:v libx264 -g 250 " + file);
  ASSERT_TRUE(cut(3, 125));
  EXPECT_EQ(told, 2) << "after 50 and after 100 pictures";
  answer = fail(ErrorKind::unavailable, ErrorSource::upstream, "the origin is gone", true);
  auto made = cut(3, 125);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind, ErrorKind::unavailable) << "nobody waits for the rest";
}

std::vector<std::int64_t> durations_of(const Segment& segment) {
  std::vector<std::int64_t> found;
  for (const Sample& sample : segment.samples) found.push_back(sample.duration);
  return found;
}

TEST_F(EdgeEncoder, WhatIsLeftOfAPictureIsCutAgain) {
  make(moving("96x64") + file);  // 512 ticks a picture
  auto piece = cut(13, 18, 256, 128);
  ASSERT_TRUE(piece) << piece.error().message;
  EXPECT_THAT(durations_of(piece->segment), testing::ElementsAre(256, 512, 512, 512, 384));
  std::ofstream(file, std::ios::binary)
      << build_init(piece->track).value() << build_segment(piece->track, piece->segment)->bytes;
  auto head = cut(0, 4), tail = cut(2, 5), again = cut(0, 4, 100, 100), one = cut(0, 1);
  ASSERT_TRUE(head) << head.error().message;
  ASSERT_TRUE(tail && again && one);
  EXPECT_THAT(durations_of(head->segment), testing::ElementsAre(256, 512, 512, 512));
  EXPECT_EQ(tail->segment.samples.size(), 3u);
  EXPECT_THAT(durations_of(again->segment), testing::ElementsAre(156, 512, 512, 412));
  EXPECT_THAT(durations_of(one->segment), testing::ElementsAre(256));
  EXPECT_EQ(head->segment.samples.front().pts, piece->segment.samples.front().pts);
}

TEST_F(EdgeEncoder, WhatHasTwoSequenceSetsIsNotPublishedAsItIsWhenItComesBack) {
  make(moving("96x64") + file);
  auto again = [&](std::size_t first, std::size_t end) {
    auto made = cut(first, end).value();
    std::string clip = dir / "clip.mp4";
    std::ofstream(clip, std::ios::binary)
        << build_init(made.track).value() << build_segment(made.track, made.segment).value().bytes;
    RecordingSink sink;
    auto result = run(clip, sink);
    EXPECT_TRUE(result && result->ready);
    return sink.tracks;
  };
  EXPECT_TRUE(again(0, 20).contains("source")) << "whole groups: the source's set alone";
  auto tracks = again(3, 25);
  EXPECT_FALSE(tracks.empty());
  EXPECT_FALSE(tracks.contains("source"));
}

}  // namespace
}  // namespace relay::transcoder
