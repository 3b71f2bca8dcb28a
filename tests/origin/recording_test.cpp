// Which segments of a channel its recording is made of, and where a transcoder goes on.
#include "origin/live/recording.hpp"

#include <gtest/gtest.h>

#include "origin/live/going_on.hpp"

namespace relay::origin::live {
namespace {

Grid grid() {
  media::LiveSetup setup{.group_frames = 50, .segment_frames = 100, .parts_per_group = 4};
  return Grid(1'767'225'600'000, setup);
}

Part part() {
  return {.bytes = 100, .ticks = 1000, .independent = true, .digest = {1, 1}};
}

/// From `begin` on: 'x' a segment, '.' a gap.
Window window(std::int64_t begin, std::string_view segments) {
  Window window(grid(), 1000);
  window.begin_at(begin);
  for (std::size_t i = 0; i < segments.size(); ++i) {
    if (segments[i] == '.') continue;
    window.add(begin + static_cast<std::int64_t>(i), part(), true);
    window.settle(true);
  }
  window.fill_until(begin + static_cast<std::int64_t>(segments.size()));
  return window;
}

SegmentSpan span_of(const std::vector<Window>& pictures, const std::vector<Window>& sounds) {
  std::vector<const Window*> of_pictures, of_sounds;
  for (const Window& each : pictures) of_pictures.push_back(&each);
  for (const Window& each : sounds) of_sounds.push_back(&each);
  return recorded_span(of_pictures, of_sounds);
}

TEST(Recording, IsFromTheFirstSegmentToTheLast) {
  Window both = window(10, "..xx.x...");
  EXPECT_EQ(span_of({both}, {both}), (SegmentSpan{12, 16}));
  EXPECT_EQ(span_of({}, {both}), (SegmentSpan{12, 16}));
  EXPECT_TRUE(span_of({window(10, "...")}, {window(10, "...")}).is_empty());
  EXPECT_TRUE(span_of({}, {}).is_empty());
}

TEST(Recording, EndsWhereSomePictureAndTheSoundEnd) {
  Window sound = window(10, "xxxxx");
  EXPECT_EQ(span_of({window(10, "..x.."), window(10, ".xxx.")}, {sound}), (SegmentSpan{11, 14}));
  EXPECT_EQ(span_of({window(12, "x")}, {sound}), (SegmentSpan{12, 13}));
  EXPECT_EQ(span_of({window(10, "x....")}, {window(10, "..x..")}), (SegmentSpan{10, 13}))
      << "better than nothing";
}

TEST(Recording, WhatLiesAroundItLeavesTheWindow) {
  Window of = window(10, ".xx.x..");
  auto gone = of.keep_only({11, 15});
  EXPECT_EQ(gone.size(), 3u);
  EXPECT_EQ(of.segments().front().number, 11);
  EXPECT_EQ(of.next(), 15);
  EXPECT_EQ(of.bytes(), 300u);
  EXPECT_EQ(of.duration_us(), 16'000'000);
  media::LiveWindow shown = window(10, ".xx.x..").show(true);
  narrow(shown, {11, 15});
  ASSERT_EQ(shown.segments.size(), 4u);
  EXPECT_EQ(duration_us(shown), 3 * 1'000'000 + 4'000'000) << "EXTINF of three, and of a gap";
}

TEST(GoingOn, WithoutPartsFromTheSegmentAtHandOn) {
  Window of = window(10, "xxx");
  media::LiveJob job;
  go_on({{"v720", &of}}, 17, job);
  EXPECT_EQ(job.first_segment, 17);
  EXPECT_TRUE(job.begun.empty());
  go_on({{"v720", &of}}, 11, job);
  EXPECT_EQ(job.first_segment, 13) << "what is there is not made again";
}

TEST(GoingOn, BehindTheLastPartOfEachRendition) {
  Window pictures = window(10, "xxx"), small = window(10, "xx"), sound = window(10, "xxx");
  pictures.add(13, part(), false);
  pictures.add(13, part(), false);
  sound.add(13, part(), true);  // it is closing
  media::LiveJob job;
  go_on({{"v720", &pictures}, {"v360", &small}, {"audio", &sound}}, 14, job);
  EXPECT_EQ(job.first_segment, 14);
  ASSERT_EQ(job.begun.size(), 2u) << "v360 is not made at present";
  EXPECT_EQ(job.begun[0].rendition, "v720");
  EXPECT_EQ(job.begun[0].segment, 13);
  EXPECT_EQ(job.begun[0].part, 2);
  EXPECT_EQ(job.begun[1].rendition, "audio");
  EXPECT_EQ(job.begun[1].segment, 14);
  EXPECT_EQ(job.begun[1].part, 0);
  small.fill_until(13);
  go_on({{"v720", &pictures}, {"v360", &small}}, 13, job);
  ASSERT_EQ(job.begun.size(), 2u);
  EXPECT_EQ(job.begun[1].part, 0) << "its first part was about to come";
  go_on({{"v720", &pictures}}, 15, job);
  EXPECT_TRUE(job.begun.empty()) << "it is a gap by now";
  EXPECT_EQ(job.first_segment, 15);
}

}  // namespace
}  // namespace relay::origin::live
