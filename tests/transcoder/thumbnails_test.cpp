#include "transcoder/thumbnails.hpp"

#include <gtest/gtest.h>

#include <cstring>

#include "tests/transcoder/clip.hpp"

namespace relay::transcoder {
namespace {

// A grey picture in limited range.
av::Frame grey(int width, int height, int luma) {
  av::Frame frame = av::make_frame();
  frame->width = width;
  frame->height = height;
  frame->format = AV_PIX_FMT_YUV420P;
  EXPECT_EQ(av_frame_get_buffer(frame.get(), 0), 0);
  std::memset(frame->data[0], luma, static_cast<std::size_t>(frame->linesize[0]) * height);
  for (int plane : {1, 2})
    std::memset(frame->data[plane], 128,
                static_cast<std::size_t>(frame->linesize[plane]) * height / 2);
  return frame;
}

std::string save(const std::string& jpeg, const tests::TemporaryFolder& dir) {
  std::string path = dir / "sheet.jpg";
  std::ofstream(path, std::ios::binary) << jpeg;
  return path;
}

std::string size_of(const std::string& jpeg) {
  tests::TemporaryFolder dir;
  return output_of(
      "ffprobe -v error -show_entries stream=codec_name,width,height,pix_fmt -of "
      "csv=p=0 " +
      save(jpeg, dir));
}

TEST(Thumbnails, TilesKeepTheShapeAndAreNeverEnlarged) {
  EXPECT_EQ(tile_size(1920, 1080).width, 240);
  EXPECT_EQ(tile_size(1920, 1080).height, 136);
  EXPECT_EQ(tile_size(1080, 1920).width, 136);
  EXPECT_EQ(tile_size(1080, 1920).height, 240);
  EXPECT_EQ(tile_size(160, 120).width, 160);
  EXPECT_EQ(tile_size(4000, 2).height, 2);
}

TEST(Thumbnails, ASheetShowsItsTilesFromLeftToRight) {
  tests::TemporaryFolder dir;
  Sheet sheet({32, 18}, AVCOL_SPC_BT709);
  for (int luma : {16, 126, 235}) ASSERT_TRUE(sheet.add(*grey(416, 234, luma)));
  EXPECT_EQ(sheet.tiles(), 3);
  auto jpeg = sheet.take_jpeg();
  ASSERT_TRUE(jpeg) << jpeg.error().message;
  EXPECT_EQ(sheet.tiles(), 0);
  EXPECT_EQ(size_of(*jpeg), "mjpeg,96,18,yuvj420p\n");
  // In full range: black is 0, white is 255.
  std::vector<int> seen = brightness(save(*jpeg, dir), 3, 1);
  ASSERT_EQ(seen.size(), 3u);
  EXPECT_NEAR(seen[0], 0, 4);
  EXPECT_NEAR(seen[1], 128, 4);
  EXPECT_NEAR(seen[2], 255, 4);
  EXPECT_FALSE(sheet.take_jpeg());
}

TEST(Thumbnails, ThereIsASheetASegmentAndATileEveryTwoSeconds) {
  Chunker chunker = Chunker::regular({30000, 1001}, false);
  Thumbnails thumbnails(chunker, {32, 18}, AVCOL_SPC_BT709, 2);
  std::vector<ThumbnailSheet> sheets;
  av::Frame picture = grey(64, 36, 100);
  for (std::int64_t frame = 0; frame < 400; ++frame) {
    if (!thumbnails.wants(frame)) continue;
    EXPECT_GE(frame, chunker.first_frame(2));
    auto sheet = thumbnails.add(*picture, frame);
    ASSERT_TRUE(sheet) << sheet.error().message;
    if (*sheet) sheets.push_back(std::move(**sheet));
  }
  auto last = thumbnails.finish(400);
  ASSERT_TRUE(last && *last);
  sheets.push_back(std::move(**last));
  // Segment 2 lasts two seconds, 3 and those behind it six: 90 to 150, to 330, to the end.
  ASSERT_EQ(sheets.size(), 3u);
  EXPECT_EQ(sheets[0].number, 2);
  EXPECT_EQ(sheets[0].tiles, 1);
  EXPECT_EQ(sheets[0].duration, 60 * 1001);
  EXPECT_EQ(sheets[1].tiles, 3);
  EXPECT_EQ(sheets[1].duration, 180 * 1001);
  EXPECT_EQ(sheets[1].tile_duration, 60 * 1001);
  EXPECT_EQ(sheets[1].timescale, 30000);
  EXPECT_FALSE(sheets[1].last);
  EXPECT_EQ(sheets[2].tiles, 2);
  EXPECT_EQ(sheets[2].duration, 70 * 1001);
  EXPECT_TRUE(sheets[2].last);
  EXPECT_EQ(size_of(sheets[1].jpeg), "mjpeg,96,18,yuvj420p\n");
}

TEST(Thumbnails, AFileGetsThemAlongWithItsSegments) {
  tests::TemporaryFolder dir;
  std::string file = dir / "in.mp4";
  ASSERT_TRUE(ffmpeg("-f lavfi -i testsrc2=size=640x360:rate=25:duration=9 -c:v mpeg4 " + file));
  RecordingSink sink;
  auto result = run(file, sink);
  ASSERT_TRUE(result) << result.error().message;
  const std::string smallest = sink.segments.rbegin()->first;
  const std::vector<Segment>& segments = sink.segments.at(smallest);
  ASSERT_EQ(sink.sheets.size(), segments.size());
  for (std::size_t i = 0; i < segments.size(); ++i) {
    EXPECT_EQ(sink.sheets[i].number, segments[i].number);
    EXPECT_EQ(sink.sheets[i].last, segments[i].last);
    EXPECT_DOUBLE_EQ(static_cast<double>(sink.sheets[i].duration) /
                         static_cast<double>(sink.sheets[i].timescale),
                     static_cast<double>(segments[i].duration) /
                         static_cast<double>(sink.tracks.at(smallest).timescale));
    EXPECT_EQ(sink.sheets[i].tile_width, 240);
  }

  // Nothing is encoded for what an earlier try has done.
  RecordingSink again;
  for (const auto& [name, list] : sink.segments)
    again.before[name] = {static_cast<std::int64_t>(list.size()), true};
  again.before[std::string(media::thumbnails_name)] = {
      static_cast<std::int64_t>(sink.sheets.size()), true};
  ASSERT_TRUE(run(file, again));
  EXPECT_TRUE(again.sheets.empty());

  RecordingSink rest;
  for (const auto& [name, list] : sink.segments) rest.before[name] = {2, false};
  rest.before[std::string(media::thumbnails_name)] = {3, false};
  ASSERT_TRUE(run(file, rest));
  ASSERT_EQ(rest.sheets.size(), sink.sheets.size() - 3);
  EXPECT_EQ(rest.sheets.front().number, 3);
  EXPECT_EQ(rest.sheets.front().jpeg, sink.sheets[3].jpeg);
}

}  // namespace
}  // namespace relay::transcoder
