// The outline of playlists of other packagers than ours.
#include "common/media/playlist_outline.hpp"

#include <gtest/gtest.h>

namespace relay::media {
namespace {

using Names = std::vector<std::string>;

constexpr std::string_view live = R"(#EXTM3U
#EXT-X-VERSION:9
#EXT-X-TARGETDURATION:4
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.0
#EXT-X-MEDIA-SEQUENCE:2680
#EXT-X-DISCONTINUITY-SEQUENCE:3
#EXT-X-MAP:URI="init-a.mp4"
#EXT-X-KEY:METHOD=AES-128,URI="https://keys/1.key",IV=0x1
#EXT-X-PROGRAM-DATE-TIME:2026-02-01T10:00:00Z
#EXTINF:4.00008,Title, with comma
../s/2680.m4s?x=1
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI="init-b.mp4"
#EXT-X-KEY:METHOD=NONE
#EXT-X-GAP
#EXTINF:4,
2681.m4s
#EXT-X-KEY:METHOD=AES-128,URI="https://keys/1.key",IV=0x2
#EXT-X-PART:DURATION=1,URI="2682.0.m4s"
#EXTINF:4,
#EXT-X-BITRATE:800
2682.m4s
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="2683.0.m4s"
)";

TEST(PlaylistOutline, NamesSegmentsInOrderAndWhatTheyAllNeed) {
  auto outline = read_playlist_outline(live);
  ASSERT_TRUE(outline) << outline.error().message;
  EXPECT_EQ(outline->media_sequence, 2680);
  EXPECT_EQ(outline->segments, (Names{"../s/2680.m4s?x=1", "", "2682.m4s"}));
  EXPECT_EQ(outline->lasting, (Names{"init-a.mp4", "https://keys/1.key", "init-b.mp4"}));
  EXPECT_FALSE(outline->ended);
  EXPECT_FALSE(outline->only_grows);
}

TEST(PlaylistOutline, TellsWhatEndsAndWhatOnlyGrows) {
  auto outline = read_playlist_outline(
      "#EXTM3U\r\n#EXT-X-TARGETDURATION:4\r\n#EXT-X-PLAYLIST-TYPE:EVENT\r\n#EXTINF:4,\r\na.ts\r\n"
      "#EXT-X-ENDLIST\r\n");
  ASSERT_TRUE(outline);
  EXPECT_TRUE(outline->ended);
  EXPECT_TRUE(outline->only_grows);
  EXPECT_EQ(outline->segments, Names{"a.ts"});
}

TEST(PlaylistOutline, RefusesWhatNamesSomethingElse) {
  std::string head = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n";
  for (std::string text :
       {std::string(), std::string("<html>"), std::string("#EXTM3U\n#EXTINF:4,\na.ts\n"),
        head + "#EXT-X-STREAM-INF:BANDWIDTH=1\nb.m3u8\n", head + "#EXT-X-SKIP:SKIPPED-SEGMENTS=3\n",
        head + "#EXT-X-DEFINE:NAME=\"a\",VALUE=\"b\"\n{$a}.ts\n", head + "#EXT-X-MAP:URI=\"a\n",
        head + "#EXT-X-MEDIA-SEQUENCE:-1\n", head + "a.ts\n#EXT-X-MEDIA-SEQUENCE:1\n"}) {
    EXPECT_FALSE(read_playlist_outline(text)) << text;
  }
}

}  // namespace
}  // namespace relay::media
