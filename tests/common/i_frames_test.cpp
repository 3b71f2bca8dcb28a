#include "common/media/i_frames.hpp"

#include <gtest/gtest.h>

namespace relay::media {
namespace {

MediaPlaylist three_segments() {
  MediaPlaylist playlist;
  playlist.type = PlaylistType::event;
  playlist.map_uri = "init.mp4";
  playlist.segments = {{"0.m4s", 1, 1}, {"1.m4s", 541'541, 90'000}, {"2.m4s", 4, 1}};
  return playlist;
}

TEST(IFrames, EachPictureIsAByteRangeThatLastsToTheNext) {
  auto playlist = three_segments();
  playlist.ended = true;
  auto frames = i_frames_of(playlist, {{{24, 100, 0}},
                                       {{24, 90, 0}, {500, 80, 2'000'000}, {900, 70, 4'004'000}},
                                       {{24, 60, 0}, {400, 50, 2'000'000}}});
  EXPECT_EQ(write(frames),
            "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:6\n#EXT-X-MEDIA-SEQUENCE:0\n"
            "#EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-I-FRAMES-ONLY\n#EXT-X-INDEPENDENT-SEGMENTS\n"
            "#EXT-X-MAP:URI=\"init.mp4\"\n"
            "#EXTINF:1.000000,\n#EXT-X-BYTERANGE:100@24\n0.m4s\n"
            "#EXTINF:2.000000,\n#EXT-X-BYTERANGE:90@24\n1.m4s\n"
            "#EXTINF:2.004000,\n#EXT-X-BYTERANGE:80@500\n1.m4s\n"
            "#EXTINF:2.013122,\n#EXT-X-BYTERANGE:70@900\n1.m4s\n"
            "#EXTINF:2.000000,\n#EXT-X-BYTERANGE:60@24\n2.m4s\n"
            "#EXTINF:2.000000,\n#EXT-X-BYTERANGE:50@400\n2.m4s\n"
            "#EXT-X-ENDLIST\n");
}

TEST(IFrames, WhatIsNotKnownIsAGap) {
  auto playlist = three_segments();
  playlist.segments[2].gap = true;
  std::vector<KeyPicture> beyond = {{24, 9, 0}, {90, 9, 7'000'000}};
  auto frames = i_frames_of(playlist, {{}, beyond, {{24, 60, 0}}});
  ASSERT_EQ(frames.segments.size(), 6u);
  for (const MediaSegment& each : frames.segments) {
    EXPECT_TRUE(each.gap);
    EXPECT_FALSE(each.range);
  }
}

TEST(IFrames, SequenceNumbersFollowFromTheSegmentsOfASlidingWindow) {
  auto playlist = three_segments();
  playlist.type = PlaylistType::none;
  playlist.media_sequence = 70;
  for (auto& each : playlist.segments) each = {each.uri, 4, 1};
  playlist.segments[0].date_us = 1'000'000'000;
  std::vector<KeyPicture> two = {{24, 9, 0}, {90, 9, 2'000'000}};
  auto frames = i_frames_of(playlist, {two, {}, two}, 2);
  EXPECT_EQ(frames.media_sequence, 140);
  ASSERT_EQ(frames.segments.size(), 6u);
  EXPECT_EQ(frames.segments[1].date_us, 1'002'000'000);
  EXPECT_TRUE(frames.segments[2].gap);
  EXPECT_EQ(frames.segments[3].seconds(), 2.0);
  // However little of it is known.
  EXPECT_EQ(i_frames_of(playlist, {{}, {}, {}}, 2).segments.size(), 6u);
}

}  // namespace
}  // namespace relay::media
