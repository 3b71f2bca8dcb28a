#include "common/media/playlist.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "common/store/file.hpp"

namespace relay::media {
namespace {

MediaPlaylist growing() {
  MediaPlaylist playlist;
  playlist.type = PlaylistType::event;
  playlist.map_uri = "init.mp4";
  playlist.segments = {{"0.m4s", 180'000, 90'000}, {"1.m4s", 541'541, 90'000}};
  return playlist;
}

MediaPlaylist with_third_segment() {
  MediaPlaylist playlist = growing();
  playlist.segments.push_back({"2.m4s", 6, 1});
  return playlist;
}

constexpr std::string_view growing_text =
    "#EXTM3U\n"
    "#EXT-X-VERSION:7\n"
    "#EXT-X-TARGETDURATION:6\n"
    "#EXT-X-MEDIA-SEQUENCE:0\n"
    "#EXT-X-PLAYLIST-TYPE:EVENT\n"
    "#EXT-X-INDEPENDENT-SEGMENTS\n"
    "#EXT-X-MAP:URI=\"init.mp4\"\n"
    "#EXTINF:2.000000,\n"
    "0.m4s\n"
    "#EXTINF:6.017122,\n"
    "1.m4s\n";

MultivariantPlaylist two_rungs() {
  MultivariantPlaylist playlist;
  playlist.audios = {{"audio", "Main", "und", "v1/audio/index.m3u8", 2, true}};
  playlist.variants = {{"v1/v720/index.m3u8", 4'000'000, 3'000'000, "avc1.64001f,mp4a.40.2", 1280,
                        720, 30000.0 / 1001, "audio"},
                       {"v1/v360/index.m3u8", 800'000, 0, "", 0, 0, 0, ""}};
  return playlist;
}

constexpr std::string_view two_rungs_text =
    "#EXTM3U\n"
    "#EXT-X-VERSION:7\n"
    "#EXT-X-INDEPENDENT-SEGMENTS\n"
    "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"audio\",NAME=\"Main\",LANGUAGE=\"und\",DEFAULT=YES,"
    "AUTOSELECT=YES,CHANNELS=\"2\",URI=\"v1/audio/index.m3u8\"\n"
    "#EXT-X-STREAM-INF:BANDWIDTH=4000000,AVERAGE-BANDWIDTH=3000000,"
    "CODECS=\"avc1.64001f,mp4a.40.2\",RESOLUTION=1280x720,FRAME-RATE=29.970,AUDIO=\"audio\"\n"
    "v1/v720/index.m3u8\n"
    "#EXT-X-STREAM-INF:BANDWIDTH=800000\n"
    "v1/v360/index.m3u8\n";

TEST(Playlist, IFramePlaylistsAreNamedAndReadBack) {
  MultivariantPlaylist playlist = two_rungs();
  playlist.i_frames = {{"v1/v720/iframes.m3u8", 300'000, 200'000, "avc1.64001f", 1280, 720}};
  std::string text = write(playlist);
  EXPECT_EQ(text, std::string(two_rungs_text) +
                      "#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=300000,AVERAGE-BANDWIDTH=200000,"
                      "CODECS=\"avc1.64001f\",RESOLUTION=1280x720,URI=\"v1/v720/iframes.m3u8\"\n");
  EXPECT_EQ(write(read_multivariant_playlist(text).value()), text);
  text += "#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=300000\n";
  EXPECT_FALSE(read_multivariant_playlist(text));
}

TEST(Playlist, TheSoundAloneIsAVariantThatIsARenditionToo) {
  MultivariantPlaylist playlist = two_rungs();
  playlist.sound_only = {.uri = "v1/audio/index.m3u8",
                         .bandwidth = 130'000,
                         .average_bandwidth = 128'000,
                         .codecs = "mp4a.40.2",
                         .audio_group = "audio"};
  std::string text = write(playlist);
  EXPECT_EQ(text, std::string(two_rungs_text) +
                      "#EXT-X-STREAM-INF:BANDWIDTH=130000,AVERAGE-BANDWIDTH=128000,"
                      "CODECS=\"mp4a.40.2\",AUDIO=\"audio\"\nv1/audio/index.m3u8\n");
  auto back = read_multivariant_playlist(text);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->variants.size(), 2u);
  EXPECT_EQ(write(*back), text);
  std::string alone =
      text.substr(0, text.find("#EXT-X-STREAM-INF")) + text.substr(text.rfind("#EXT-X-STREAM-INF"));
  EXPECT_EQ(read_multivariant_playlist(alone).value().variants.size(), 1u)
      << "nothing else is left";
  // Without pictures it is a variant like any.
  EXPECT_FALSE(read_multivariant_playlist("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na/index.m3u8\n")
                   .value()
                   .sound_only);
}

TEST(Playlist, WritesAGrowingList) {
  EXPECT_EQ(write(growing()), growing_text);
}

TEST(Playlist, WritesAnEndedList) {
  MediaPlaylist playlist;
  playlist.type = PlaylistType::vod;
  playlist.independent_segments = false;
  playlist.target_duration_s = 2;
  playlist.media_sequence = 7;
  playlist.segments = {{"7.m4s", 1, 3}};
  playlist.ended = true;
  EXPECT_EQ(write(playlist),
            "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:7\n"
            "#EXT-X-PLAYLIST-TYPE:VOD\n#EXTINF:0.333333,\n7.m4s\n#EXT-X-ENDLIST\n");
}

TEST(Playlist, WritesAMultivariantList) {
  EXPECT_EQ(write(two_rungs()), two_rungs_text);
}

TEST(Playlist, CaptionsInThePicturesAreStatedAndRead) {
  MultivariantPlaylist playlist = two_rungs();
  playlist.captions = {{"captions", "CC1", "und", "CC1"}};
  playlist.variants[0].captions_group = "captions";
  std::string text = write(playlist);
  EXPECT_TRUE(
      text.contains("\n#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID=\"captions\",NAME=\"CC1\","
                    "LANGUAGE=\"und\",DEFAULT=NO,AUTOSELECT=YES,INSTREAM-ID=\"CC1\"\n"))
      << text;
  EXPECT_TRUE(text.contains("AUDIO=\"audio\",CLOSED-CAPTIONS=\"captions\"\nv1/v720/")) << text;
  auto read = read_multivariant_playlist(text);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(write(*read), text);
}

TEST(Playlist, ANameFromASourceCannotBreakTheLine) {
  MultivariantPlaylist playlist = two_rungs();
  playlist.audios[0].name = "a\"\r\n#EXT-X-ENDLIST,b";
  auto read = read_multivariant_playlist(write(playlist));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->audios[0].name, "a'  #EXT-X-ENDLIST,b");
}

TEST(Playlist, ATitleIsOneLineOfItsOwnWhateverItIs) {
  EXPECT_EQ(with_title(std::string(two_rungs_text), ""), two_rungs_text);
  std::string text = with_title(std::string(two_rungs_text), "Ö <b>\"1\"\n#EXT-X-ENDLIST,\x7f");
  std::string line =
      "#EXT-X-SESSION-DATA:DATA-ID=\"com.apple.hls.title\",VALUE=\"Ö <b>'1' #EXT-X-ENDLIST, \"\n";
  ASSERT_EQ(text.find(line), std::string("#EXTM3U\n").size());
  auto read = read_multivariant_playlist(text);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(write(*read), two_rungs_text);
}

TEST(Playlist, ReadsWhatItWrites) {
  auto media = read_media_playlist(growing_text);
  ASSERT_TRUE(media) << media.error().message;
  EXPECT_EQ(media->type, PlaylistType::event);
  EXPECT_EQ(media->map_uri, "init.mp4");
  EXPECT_FALSE(media->ended);
  ASSERT_EQ(media->segments.size(), 2u);
  EXPECT_EQ(media->segments[1].duration, 6'017'122);
  EXPECT_EQ(media->segments[1].timescale, 1'000'000);
  EXPECT_EQ(write(*media), growing_text);

  auto multivariant = read_multivariant_playlist(two_rungs_text);
  ASSERT_TRUE(multivariant) << multivariant.error().message;
  EXPECT_EQ(multivariant->variants[0].width, 1280);
  EXPECT_EQ(multivariant->variants[1].average_bandwidth, 0);
  EXPECT_EQ(write(*multivariant), two_rungs_text);
}

TEST(Playlist, ReadsListsOfOthers) {
  auto media = read_media_playlist(
      "#EXTM3U\r\n\r\n# a comment\r\n#EXT-X-TARGETDURATION:10\r\n#EXT-X-SOMETHING-NEW:1\r\n"
      "#EXTINF:9.0094999,A title, with commas\r\nhttp://media.example.com/first.ts\r\n"
      "#EXTINF:3\r\nthird.ts\r\n#EXT-X-ENDLIST");
  ASSERT_TRUE(media) << media.error().message;
  EXPECT_EQ(media->version, 1);
  EXPECT_EQ(media->segments[0].uri, "http://media.example.com/first.ts");
  EXPECT_EQ(media->segments[0].duration, 9'009'500);
  EXPECT_EQ(media->segments[1].duration, 3'000'000);
  EXPECT_TRUE(media->ended);
}

TEST(Playlist, CountsTimeExactlyWhateverTheTimescale) {
  EXPECT_EQ((MediaSegment{"", 1'001, 30'000}.microseconds()), 33'367);
  EXPECT_EQ((MediaSegment{"", 1ll << 60, 1ll << 40}.microseconds()), 1'048'576'000'000);
}

struct Wrong {
  std::string_view text, message;
};

TEST(Playlist, AMediaListWithAFaultNamesTheLine) {
  const Wrong table[] = {
      {"", "line 0: the playlist is empty"},
      {"\n#EXTM3U\n", "line 1: a playlist begins with #EXTM3U"},
      {"\xef\xbb\xbf#EXTM3U\n", "line 1: a playlist begins with #EXTM3U"},
      {"#EXTM3U\n", "line 1: #EXT-X-TARGETDURATION is missing"},
      {"#EXTM3U\n#EXT-X-TARGETDURATION:6\n0.m4s\n", "line 3: a segment without #EXTINF before it"},
      {"#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\n",
       "line 3: #EXTINF without a segment behind it"},
      {"#EXTM3U\n#EXTINF:6,\n#EXTINF:6,\n", "line 3: #EXTINF without a segment behind it"},
      {"#EXTM3U\n#EXTINF:0,\n", "line 2: #EXTINF needs a duration above 0 and up to 86400 s"},
      {"#EXTM3U\n#EXTINF:-1,\n", "line 2: #EXTINF needs a duration above 0 and up to 86400 s"},
      {"#EXTM3U\n#EXTINF:1e3,\n", "line 2: #EXTINF needs a duration above 0 and up to 86400 s"},
      {"#EXTM3U\n#EXTINF:6.,\n", "line 2: #EXTINF needs a duration above 0 and up to 86400 s"},
      {"#EXTM3U\n#EXTINF:99999999999999999999,\n",
       "line 2: #EXTINF needs a duration above 0 and up to 86400 s"},
      {"#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6.5,\n0.m4s\n",
       "line 4: a segment lasts 7 s, the target duration is 6 s"},
      {"#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXT-X-TARGETDURATION:6\n",
       "line 3: #EXT-X-TARGETDURATION stands twice"},
      {"#EXTM3U\n#EXT-X-TARGETDURATION:6.5\n",
       "line 2: #EXT-X-TARGETDURATION needs a whole number from 1 to 1000000"},
      {"#EXTM3U\n#EXT-X-VERSION:x\n",
       "line 2: #EXT-X-VERSION needs a whole number from 1 to 1000000"},
      {"#EXTM3U\n#EXT-X-PLAYLIST-TYPE:LIVE\n",
       "line 2: #EXT-X-PLAYLIST-TYPE is neither EVENT nor VOD"},
      {"#EXTM3U\n#EXTINF:6,\n0.m4s\n#EXT-X-MEDIA-SEQUENCE:3\n",
       "line 4: #EXT-X-MEDIA-SEQUENCE behind the first segment"},
      {"#EXTM3U\n#EXT-X-MAP:URI=init.mp4\n", "line 2: #EXT-X-MAP needs URI=\"…\""},
      {"#EXTM3U\n#EXT-X-MAP:URI=\"init.mp4\n", "line 2: attribute URI lacks a quote"},
      {"#EXTM3U\n#EXT-X-MAP:URI=\"a\"\n#EXT-X-MAP:URI=\"b\"\n",
       "line 3: a further #EXT-X-MAP stands between #EXT-X-DISCONTINUITY and #EXTINF only"},
      {"#EXTM3U\n#EXT-X-PROGRAM-DATE-TIME:noon\n",
       "line 2: #EXT-X-PROGRAM-DATE-TIME is no RFC 3339 date and time"},
      {"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n",
       "line 2: #EXT-X-STREAM-INF has no place in a media playlist"},
      {"#EXTM3U\n#EXT-X-BYTERANGE:100@0\n", "line 2: #EXT-X-BYTERANGE is not supported"},
      {"#EXTM3U\n#EXT-X-ENDLIST\n#EXT-X-ENDLIST\n", "line 3: #EXT-X-ENDLIST stands twice"},
      {"#EXTM3U\n#EXTINF:6,\na\tb\n", "line 3: a control character"},
  };
  for (const Wrong& wrong : table) {
    auto read = read_media_playlist(wrong.text);
    ASSERT_FALSE(read) << wrong.text;
    EXPECT_EQ(read.error().message, wrong.message) << wrong.text;
  }
}

TEST(Playlist, WhatStandsBeforeASegmentIsItsOwn) {
  MediaPlaylist list = growing();
  list.start_us = 1'500'000;
  list.segments[0].date_us = 1'000'000;
  list.segments[1].gap = true;
  list.segments[1].discontinuity = true;
  list.segments[1].map_uri = "other.mp4";
  std::string text = write(list);
  EXPECT_NE(text.find("#EXT-X-START:TIME-OFFSET=1.500000,PRECISE=YES\n"), std::string::npos);
  auto again = read_media_playlist(text);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->map_uri, "init.mp4");
  EXPECT_EQ(again->segments[0].date_us, 1'000'000);
  EXPECT_FALSE(again->segments[0].gap);
  EXPECT_EQ(again->segments[0].map_uri, "");
  EXPECT_FALSE(again->segments[1].date_us);
  EXPECT_TRUE(again->segments[1].gap);
  EXPECT_TRUE(again->segments[1].discontinuity);
  EXPECT_EQ(again->segments[1].map_uri, "other.mp4");
}

TEST(Playlist, AMultivariantListWithAFaultNamesTheLine) {
  const Wrong table[] = {
      {"#EXTM3U\n", "line 1: there is no #EXT-X-STREAM-INF"},
      {"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n",
       "line 2: #EXT-X-STREAM-INF without a playlist name behind it"},
      {"#EXTM3U\nv.m3u8\n", "line 2: a playlist name without #EXT-X-STREAM-INF before it"},
      {"#EXTM3U\n#EXT-X-STREAM-INF:CODECS=\"x\"\n",
       "line 2: #EXT-X-STREAM-INF needs BANDWIDTH=number"},
      {"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,BANDWIDTH=2\n",
       "line 2: attribute BANDWIDTH stands twice"},
      {"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1, CODECS=\"x\"\n",
       "line 2: an attribute is not written as NAME=value"},
      {"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,RESOLUTION=1280\n",
       "line 2: RESOLUTION is not written as 1920x1080"},
      {"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,FRAME-RATE=fast\n",
       "line 2: FRAME-RATE is not a number up to 1000"},
      {"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO=\"a\"\nv.m3u8\n",
       "line 3: no #EXT-X-MEDIA has GROUP-ID=\"a\""},
      {"#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,NAME=\"x\"\n",
       "line 2: #EXT-X-MEDIA needs GROUP-ID=\"…\" and NAME=\"…\""},
      {"#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"x\",CHANNELS=\"many\"\n",
       "line 2: CHANNELS is not a count"},
      {"#EXTM3U\n#EXT-X-TARGETDURATION:6\n",
       "line 2: #EXT-X-TARGETDURATION has no place in a multivariant playlist"},
  };
  for (const Wrong& wrong : table) {
    auto read = read_multivariant_playlist(wrong.text);
    ASSERT_FALSE(read) << wrong.text;
    EXPECT_EQ(read.error().message, wrong.message) << wrong.text;
  }
}

TEST(Playlist, AnOverlongListIsTooLarge) {
  std::string text = "#EXTM3U\n" + std::string(9 * 1024 * 1024, '#');
  auto read = read_media_playlist(text);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().kind, ErrorKind::too_large);
}

TEST(Playlist, AListMayGrowAndEnd) {
  EXPECT_EQ(why_not_extension(growing(), growing()), std::nullopt);
  EXPECT_EQ(why_not_extension(growing(), with_third_segment()), std::nullopt);
  MediaPlaylist ended = with_third_segment();
  ended.ended = true;
  EXPECT_EQ(why_not_extension(growing(), ended), std::nullopt);
  EXPECT_EQ(why_not_extension(ended, ended), std::nullopt);
  // The same times in another timescale are the same times.
  EXPECT_EQ(why_not_extension(growing(), *read_media_playlist(growing_text)), std::nullopt);
}

TEST(Playlist, ASlidingWindowMayLoseItsFront) {
  MediaPlaylist window = growing();
  window.type = PlaylistType::none;
  MediaPlaylist slid = window;
  slid.media_sequence = 1;
  slid.segments = {window.segments[1], {"2.m4s", 6, 1}};
  EXPECT_EQ(why_not_extension(window, slid), std::nullopt);
  slid.media_sequence = 50;
  EXPECT_EQ(why_not_extension(window, slid), std::nullopt);
  EXPECT_EQ(why_not_extension(slid, window), "the media sequence went back from 50 to 0");
}

TEST(Playlist, NothingElseIsAnExtension) {
  struct Change {
    std::string_view reason;
    void (*apply)(MediaPlaylist& next);
  };
  const Change table[] = {
      {"the version changed from 7 to 6", [](MediaPlaylist& p) { p.version = 6; }},
      {"the target duration changed from 6 to 7",
       [](MediaPlaylist& p) { p.target_duration_s = 7; }},
      {"the playlist type changed", [](MediaPlaylist& p) { p.type = PlaylistType::vod; }},
      {"EXT-X-INDEPENDENT-SEGMENTS came or went",
       [](MediaPlaylist& p) { p.independent_segments = false; }},
      {"the map changed from 'init.mp4' to ''", [](MediaPlaylist& p) { p.map_uri = ""; }},
      {"segments were taken from the front of a list that may only grow",
       [](MediaPlaylist& p) {
         p.media_sequence = 1;
         p.segments.erase(p.segments.begin());
       }},
      {"segment 1.m4s of 6.017122 s was taken back",
       [](MediaPlaylist& p) { p.segments.pop_back(); }},
      {"segment 1.m4s of 6.017122 s became other.m4s of 6.017122 s",
       [](MediaPlaylist& p) { p.segments[1].uri = "other.m4s"; }},
      {"segment 0.m4s of 2.000000 s became 0.m4s of 2.000011 s",
       [](MediaPlaylist& p) { p.segments[0].duration = 180'001; }},
  };
  for (const Change& change : table) {
    MediaPlaylist next = growing();
    change.apply(next);
    EXPECT_EQ(why_not_extension(growing(), next), change.reason);
  }
}

TEST(Playlist, NothingFollowsTheEnd) {
  MediaPlaylist ended = growing();
  ended.ended = true;
  EXPECT_EQ(why_not_extension(ended, growing()), "EXT-X-ENDLIST was taken back");
  MediaPlaylist longer = with_third_segment();
  longer.ended = true;
  EXPECT_EQ(why_not_extension(ended, longer), "segments came or went after the end of the list");
}

/// Real playlists and hostile ones: refused or read, and what was read reads back the same.
TEST(Playlist, ReadsTheCollectionWithoutHarm) {
  std::filesystem::path collection =
      std::filesystem::path(RELAY_SOURCE_DIR) / "../shared/media/playlists";
  if (!std::filesystem::is_directory(collection)) GTEST_SKIP() << "no collection of playlists here";
  int media_count = 0, multivariant_count = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(collection)) {
    if (!entry.is_regular_file()) continue;
    auto text = store::read_file(entry.path());
    ASSERT_TRUE(text);
    if (auto media = read_media_playlist(*text)) {
      ++media_count;
      EXPECT_EQ(write(*read_media_playlist(write(*media))), write(*media)) << entry.path();
    }
    if (auto multivariant = read_multivariant_playlist(*text)) {
      ++multivariant_count;
      EXPECT_EQ(write(*read_multivariant_playlist(write(*multivariant))), write(*multivariant))
          << entry.path();
    }
  }
  EXPECT_GT(media_count, 10);
  EXPECT_GT(multivariant_count, 10);
}

}  // namespace
}  // namespace relay::media
