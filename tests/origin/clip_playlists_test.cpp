#include "origin/clip/playlists.hpp"

#include <gtest/gtest.h>

#include "common/media/live.hpp"

namespace relay::origin::clip {
namespace {

constexpr std::int64_t second = 1'000'000;

Source channel() {
  Source source{"live", "0abc", 1'000 * second, true, 4, {}};
  source.renditions = {{"v720", true, {{7, 4 * second}, {8, 4 * second, true}, {9, 4 * second}}},
                       {"audio", false, {{7, 4'010'667}, {8, 3'989'333}, {9, 4 * second}}}};
  return source;
}

MediaPlaylists playlists_of(const Source& source, const Choice& choice) {
  MediaPlaylists playlists;
  for (const Cut& cut : choice.cuts)
    playlists[source.renditions[cut.rendition].name] = media_playlist(source, choice, cut);
  return playlists;
}

TEST(ClipPlaylists, NameTheSourcesSegments) {
  Source source = channel();
  Choice choice{.start_us = 5'500'000,
                .end_us = 12 * second,
                .begin_us = 4 * second,
                .finish_us = 12 * second,
                .date_us = 1'004 * second,
                .cuts = {{0, 1, 3}, {1, 1, 3}}};
  EXPECT_EQ(media::write(media_playlist(source, choice, choice.cuts[0])),
            "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:0\n"
            "#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-INDEPENDENT-SEGMENTS\n"
            "#EXT-X-START:TIME-OFFSET=1.500000,PRECISE=YES\n"
            "#EXT-X-MAP:URI=\"../../../live/0abc/v720/init.mp4\"\n"
            "#EXT-X-PROGRAM-DATE-TIME:1970-01-01T00:16:44.000Z\n#EXT-X-GAP\n"
            "#EXTINF:4.000000,\n../../../live/0abc/v720/8.m4s\n"
            "#EXT-X-PROGRAM-DATE-TIME:1970-01-01T00:16:48.000Z\n"
            "#EXTINF:4.000000,\n../../../live/0abc/v720/9.m4s\n#EXT-X-ENDLIST\n");
  std::string sound = media::write(media_playlist(source, choice, choice.cuts[1]));
  EXPECT_NE(sound.find("T00:16:48.000Z\n#EXTINF:4.000000,\n"), std::string::npos)
      << "dates are the pictures': " << sound;
  auto again = media::read_media_playlist(sound);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->segments[0].date_us, 1'004 * second);
}

TEST(ClipPlaylists, WithoutDatesNoneAreSaid) {
  Source source = channel();
  Choice choice{.end_us = 4 * second, .finish_us = 4 * second, .cuts = {{0, 0, 1}}};
  std::string text = media::write(media_playlist(source, choice, choice.cuts[0]));
  EXPECT_EQ(text.find("DATE-TIME"), std::string::npos);
  EXPECT_EQ(text.find("EXT-X-START"), std::string::npos) << "it begins with its segment";
}

TEST(ClipPlaylists, TheMultivariantOneHasItsOwnRates) {
  media::MultivariantPlaylist from;
  from.audios = {{.group_id = "audio", .name = "Main", .uri = "0abc/audio/index.m3u8"}};
  from.captions = {{"captions", "CC1", "und", "CC1"}};
  from.variants = {{.uri = "0abc/v720/index.m3u8",
                    .bandwidth = 1,
                    .average_bandwidth = 1,
                    .codecs = "avc1.64001f,mp4a.40.2",
                    .width = 1280,
                    .height = 720,
                    .audio_group = "audio"},
                   {.uri = "0abc/v360/index.m3u8", .width = 640, .height = 360}};
  from.sound_only = {.uri = "0abc/audio/index.m3u8", .bandwidth = 1, .audio_group = "audio"};
  Source source = channel();
  Choice choice{.cuts = {{0, 0, 3}, {1, 0, 3}}};
  from.i_frames = {{.uri = "0abc/v720/iframes.m3u8"}, {.uri = "0abc/v360/iframes.m3u8"}};
  MeasuredOf measured = [](const Place& place) -> Measured {
    const std::string& object = place.object;
    EXPECT_EQ(place.asset + " " + place.version, "live 0abc") << "there the segments lie";
    EXPECT_NE(object, "v720/8.m4s") << "there is no such object: it is a gap";
    if (object == "v720/7.m4s") return {500'000, {{0, 10'000, 0}, {90'000, 20'000, 2 * second}}};
    return {object == "v720/9.m4s" ? 1'000'000u : 50'000u, {}};
  };
  MediaPlaylists playlists = playlists_of(source, choice);
  auto made = multivariant_playlist(from, playlists, "goal", "1xyz", measured);
  ASSERT_EQ(made.variants.size(), 1u) << "v360 is not in it";
  EXPECT_EQ(made.variants[0].uri, "1xyz/v720/index.m3u8");
  EXPECT_EQ(made.audios[0].uri, "1xyz/audio/index.m3u8");
  EXPECT_EQ(made.captions.size(), 1u);
  ASSERT_EQ(made.i_frames.size(), 1u);
  EXPECT_EQ(made.i_frames[0].uri, "1xyz/v720/iframes.m3u8");
  EXPECT_NEAR(static_cast<double>(made.i_frames[0].bandwidth), 80'000, 2);
  EXPECT_NEAR(static_cast<double>(made.variants[0].average_bandwidth), 1'600'000, 2);
  EXPECT_NEAR(static_cast<double>(made.variants[0].bandwidth), 2'000'000 + 100'267, 2);
  ASSERT_TRUE(made.sound_only);
  EXPECT_EQ(made.sound_only->uri, "1xyz/audio/index.m3u8");
  EXPECT_NEAR(static_cast<double>(made.sound_only->bandwidth), 100'267, 2);
}

TEST(ClipPlaylists, WhatTheyNameHasOnePlace) {
  auto own = place_of("film", "0abc", "v720", "12.m4s");
  EXPECT_EQ(own.asset + " " + own.version + " " + own.object, "film 0abc v720/12.m4s");
  auto source = place_of("goal", "1xyz", "v720", "../../../film/0abc/v720/init.mp4");
  EXPECT_EQ(source.asset + " " + source.version + " " + source.object, "film 0abc v720/init.mp4");
  for (const char* odd : {"../../../", "../../../film", "../../../film/", "../../../film/0abc"})
    EXPECT_EQ(place_of("goal", "1xyz", "v720", odd).object, "") << odd;
  EXPECT_EQ(uri_of(source), "../../../film/0abc/v720/init.mp4");
  EXPECT_EQ(media::number_in(own.object), 12);
  for (const char* odd : {"v720/init.mp4", "v720/12", "12x.m4s", "", "v720/"})
    EXPECT_FALSE(media::number_in(odd)) << odd;
}

TEST(ClipPlaylists, HoldsAreTheSegmentsOfEachRendition) {
  MediaPlaylists playlists = playlists_of(channel(), {.cuts = {{0, 1, 3}, {1, 0, 2}}});
  std::vector<Holds> all = holds_of(playlists, "goal", "1xyz");
  EXPECT_EQ(all, (std::vector<Holds>{{"live", "0abc", {{"audio", 7, 8}, {"v720", 8, 9}}}}))
      << "a gap too, so that they are few";
  Held held({all[0], {"live", "0abc", {{"v720", 12, 12}, {"sound", 1, 2}, {"init"}}}});
  EXPECT_TRUE(held.has("v720", 9));
  EXPECT_TRUE(held.has("v720", 12));
  EXPECT_FALSE(held.has("v720", 7));
  EXPECT_FALSE(held.has("v720", 10));
  EXPECT_FALSE(held.has("audio", 9));
  EXPECT_FALSE(held.has("v360", 9));
  EXPECT_TRUE(held.has("v720/9.m4s"));
  EXPECT_TRUE(held.has("init/init.mp4"));
  EXPECT_FALSE(held.has("init/0.m4s"));
  EXPECT_FALSE(held.has("v360/init.mp4"));
  EXPECT_EQ(held.without({"v720", 7, 13}), (std::vector<Range>{{7, 7}, {10, 11}, {13, 13}}));
  EXPECT_EQ(held.without({"v360", 7, 13}), (std::vector<Range>{{7, 13}}));
  EXPECT_TRUE(held.without({"v360"}).empty());
}

TEST(ClipPlaylists, WhatMustBeThereIsWithoutGaps) {
  MediaPlaylists playlists = playlists_of(channel(), {.cuts = {{0, 1, 3}}});
  std::vector<std::string> named;
  for (const Place& each : named_by(playlists, "goal", "1xyz")) named.push_back(uri_of(each));
  EXPECT_EQ(named, (std::vector<std::string>{"../../../live/0abc/v720/init.mp4",
                                             "../../../live/0abc/v720/9.m4s"}));
}

/// The exact clip "goal": two pieces of its own, and what lies between them in "live".
Source exact_clip() {
  std::string own = "../../../goal/1xyz/v720/", live = "../../../live/0abc/v720/";
  Source source{"goal", "1xyz", 1'004 * second, false, 4, {}};
  source.renditions = {{"v720",
                        true,
                        {{0, second, false, own + "0.m4s"},
                         {1, 4 * second, false, live + "8.m4s"},
                         {2, 4 * second, false, live + "9.m4s"},
                         {3, 2 * second, false, own + "1.m4s"}},
                        own + "init.mp4"}};
  return source;
}

TEST(ClipPlaylists, OfAClipNameWhatThatOneNames) {
  Choice choice{.start_us = 500'000,
                .end_us = 4 * second,
                .finish_us = 5 * second,
                .date_us = 1'004 * second,
                .cuts = {{0, 0, 2}}};
  EXPECT_EQ(media::write(media_playlist(exact_clip(), choice, choice.cuts[0])),
            "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:0\n"
            "#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-INDEPENDENT-SEGMENTS\n"
            "#EXT-X-START:TIME-OFFSET=0.500000,PRECISE=YES\n"
            "#EXT-X-MAP:URI=\"../../../goal/1xyz/v720/init.mp4\"\n"
            "#EXT-X-PROGRAM-DATE-TIME:1970-01-01T00:16:44.000Z\n"
            "#EXTINF:1.000000,\n../../../goal/1xyz/v720/0.m4s\n"
            "#EXT-X-PROGRAM-DATE-TIME:1970-01-01T00:16:45.000Z\n"
            "#EXTINF:4.000000,\n../../../live/0abc/v720/8.m4s\n#EXT-X-ENDLIST\n");
}

TEST(ClipPlaylists, OfAClipHoldItsPiecesAndWhatItHolds) {
  auto holds = [](std::size_t begin, std::size_t end) {
    return holds_of(playlists_of(exact_clip(), {.cuts = {{0, begin, end}}}), "part", "2xyz");
  };
  EXPECT_EQ(holds(0, 4), (std::vector<Holds>{{"goal", "1xyz", {{"v720", 0, 1}}},
                                             {"live", "0abc", {{"v720", 8, 9}}}}));
  EXPECT_EQ(holds(1, 3),
            (std::vector<Holds>{{"goal", "1xyz", {{"v720"}}}, {"live", "0abc", {{"v720", 8, 9}}}}))
      << "its init alone";
  EXPECT_EQ(holds(3, 4), (std::vector<Holds>{{"goal", "1xyz", {{"v720", 1, 1}}}}));
  auto own = holds_of(playlists_of(exact_clip(), {.cuts = {{0, 0, 4}}}), "goal", "1xyz");
  EXPECT_EQ(own, (std::vector<Holds>{{"live", "0abc", {{"v720", 8, 9}}}})) << "its own is its own";
}

TEST(ClipPlaylists, HoldsAreReadAsTheyWereWritten) {
  std::vector<Holds> all{{"goal", "1xyz", {{"v720"}, {"audio", 0, 1}}},
                         {"live", "0abc", {{"v720", 8, 9}}}};
  for (const auto& holds : {all, std::vector<Holds>{all[1]}, std::vector<Holds>()}) {
    auto again = holds_from_bytes(to_bytes(holds));
    ASSERT_TRUE(again);
    EXPECT_EQ(*again, holds);
  }
  for (const char* line : {"v720 x 3\n", "/0abc\n", "live/\n", "\n"})
    EXPECT_FALSE(holds_from_bytes(to_bytes(all) + line)) << line;
  EXPECT_FALSE(holds_from_bytes(""));
  EXPECT_FALSE(holds_from_bytes(to_bytes(std::vector<Holds>()) + "v720 1 3\n")) << "of what?";
}

}  // namespace
}  // namespace relay::origin::clip
