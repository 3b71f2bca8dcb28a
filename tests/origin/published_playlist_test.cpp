#include "origin/published_playlist.hpp"

#include <gtest/gtest.h>

#include <set>

namespace relay::origin {
namespace {

IsStored has(std::set<std::string, std::less<>> names) {
  return [names](std::string_view name) -> Result<bool> { return names.contains(name); };
}

constexpr const char* one =
    "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:6\n#EXT-X-MEDIA-SEQUENCE:0\n"
    "#EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-MAP:URI=\"init.mp4\"\n"
    "#EXTINF:2.000000,\n0.m4s\n";
const std::string two = std::string(one) + "#EXTINF:6.000000,\n1.m4s\n";

TEST(MediaPlaylist, IsTakenWhenAllIsStored) {
  auto playlist = check_media_playlist(one, "", has({"init.mp4", "0.m4s"}));
  ASSERT_TRUE(playlist) << playlist.error().message;
  EXPECT_FALSE(playlist->ended);
  EXPECT_TRUE(check_media_playlist(two + "#EXT-X-ENDLIST\n", one, has({"1.m4s"}))->ended);
}

TEST(MediaPlaylist, NamesOnlyWhatIsStored) {
  auto no_map = check_media_playlist(one, "", has({"0.m4s"}));
  auto no_segment = check_media_playlist(two, one, has({"init.mp4", "0.m4s"}));
  ASSERT_FALSE(no_map);
  ASSERT_FALSE(no_segment);
  EXPECT_EQ(no_map.error().kind, ErrorKind::conflict);
  EXPECT_TRUE(no_segment.error().message.contains("1.m4s"));
}

TEST(MediaPlaylist, NeverTakesALineBack) {
  auto shorter = check_media_playlist(one, two, has({"init.mp4", "0.m4s", "1.m4s"}));
  ASSERT_FALSE(shorter);
  EXPECT_EQ(shorter.error().kind, ErrorKind::conflict);
}

TEST(MediaPlaylist, RefusesGapsAndDiscontinuities) {
  for (const char* tag : {"#EXT-X-GAP\n", "#EXT-X-DISCONTINUITY\n"}) {
    std::string text = std::string(one) + tag + "#EXTINF:6.000000,\n1.m4s\n";
    auto refused = check_media_playlist(text, one, has({"1.m4s"}));
    ASSERT_FALSE(refused) << tag;
    EXPECT_EQ(refused.error().kind, ErrorKind::invalid);
  }
}

TEST(MediaPlaylist, RefusesWhatIsNone) {
  auto none = check_media_playlist("hello", "", has({}));
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind, ErrorKind::invalid);
}

constexpr const char* multivariant =
    "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n"
    "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"audio\",NAME=\"Main\",LANGUAGE=\"und\",DEFAULT=YES,"
    "AUTOSELECT=YES,CHANNELS=\"2\",URI=\"audio/index.m3u8\"\n"
    "#EXT-X-STREAM-INF:BANDWIDTH=100000,AVERAGE-BANDWIDTH=90000,CODECS=\"avc1.64001f,mp4a.40.2\","
    "RESOLUTION=320x180,FRAME-RATE=25.000,AUDIO=\"audio\"\nv180/index.m3u8\n";

TEST(Multivariant, GetsTheVersionInFront) {
  auto playlist = publish_multivariant(multivariant, "1abc", has({"v180", "audio"}));
  ASSERT_TRUE(playlist) << playlist.error().message;
  EXPECT_EQ(playlist->variants[0].uri, "1abc/v180/index.m3u8");
  EXPECT_EQ(playlist->audios[0].uri, "1abc/audio/index.m3u8");
  auto again = publish_multivariant(media::write(*playlist), "1abc", has({"v180", "audio"}));
  EXPECT_EQ(again->variants[0].uri, "1abc/v180/index.m3u8");
}

TEST(Multivariant, TheSoundAloneGetsTheVersionToo) {
  std::string with_sound = std::string(multivariant) +
                           "#EXT-X-STREAM-INF:BANDWIDTH=9000,AUDIO=\"audio\"\naudio/index.m3u8\n";
  auto playlist = publish_multivariant(with_sound, "1abc", has({"v180", "audio"}));
  ASSERT_TRUE(playlist && playlist->sound_only);
  EXPECT_EQ(playlist->sound_only->uri, "1abc/audio/index.m3u8");
}

TEST(Multivariant, NamesOnlyRenditionsWithAPlaylist) {
  for (auto& stored : {has({"v180"}), has({"audio"})}) {
    auto playlist = publish_multivariant(multivariant, "1abc", stored);
    ASSERT_FALSE(playlist);
    EXPECT_EQ(playlist.error().kind, ErrorKind::conflict);
  }
}

TEST(Multivariant, IFramePlaylistsGetTheVersionInFrontToo) {
  std::string text = std::string(multivariant) +
                     "#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=9000,URI=\"v180/iframes.m3u8\"\n";
  auto playlist = publish_multivariant(text, "1abc", has({"v180", "audio"}));
  ASSERT_TRUE(playlist) << playlist.error().message;
  EXPECT_EQ(playlist->i_frames[0].uri, "1abc/v180/iframes.m3u8");
  text.replace(text.find("v180/iframes"), 4, "v999");
  EXPECT_EQ(publish_multivariant(text, "1abc", has({"v180", "audio"})).error().kind,
            ErrorKind::conflict);
}

TEST(Multivariant, RefusesForeignAddresses) {
  std::string text = multivariant;
  text.replace(text.find("v180/index.m3u8"), 15, "http://evil/x.m3u8");
  auto playlist = publish_multivariant(text, "1abc", has({"v180", "audio"}));
  EXPECT_FALSE(playlist);
}

}  // namespace
}  // namespace relay::origin
