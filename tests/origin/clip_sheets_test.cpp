#include "origin/clip/sheets.hpp"

#include <gtest/gtest.h>

#include "origin/clip/playlists.hpp"

namespace relay::origin::clip {
namespace {

constexpr std::int64_t second = 1'000'000;

SourceSegment sheet(std::int64_t number, int columns, std::string uri = "") {
  if (uri.empty()) uri = "../../../film/0abc/thumbnails/" + std::to_string(number) + ".jpg";
  return {number, 0, false, std::move(uri), media::Tiles{240, 136, columns, 1, 2 * second}};
}

/// Segments 4 to 7 of 2, 6, 6 and 4 s.
Source film() {
  Source source{"film", "0abc", std::nullopt, false, 6, {}};
  source.renditions = {
      {"v720", true, {{4, 2 * second}, {5, 6 * second}, {6, 6 * second}, {7, 4 * second}}}};
  source.sheets = {"thumbnails", true, {sheet(4, 1), sheet(5, 3), sheet(6, 3), sheet(7, 2)}};
  return source;
}

Choice choice(std::size_t begin, std::size_t end) {
  return {.start_us = second, .end_us = 9 * second, .cuts = {{0, begin, end}}};
}

TEST(ClipSheets, AreThoseOfItsSegments) {
  auto made = sheet_playlist(film(), choice(1, 3));
  ASSERT_TRUE(made);
  EXPECT_EQ(media::write(*made),
            "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:6\n#EXT-X-MEDIA-SEQUENCE:0\n"
            "#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-IMAGES-ONLY\n#EXTINF:6.000000,\n"
            "#EXT-X-TILES:RESOLUTION=240x136,LAYOUT=3x1,DURATION=2.000000\n"
            "../../../film/0abc/thumbnails/5.jpg\n#EXTINF:6.000000,\n"
            "#EXT-X-TILES:RESOLUTION=240x136,LAYOUT=3x1,DURATION=2.000000\n"
            "../../../film/0abc/thumbnails/6.jpg\n#EXT-X-ENDLIST\n");
}

TEST(ClipSheets, OneThatIsMissingIsAGap) {
  Source source = film();
  source.sheets.segments.pop_back();
  source.sheets.segments.erase(source.sheets.segments.begin());
  source.sheets.segments.back().gap = true;
  auto made = sheet_playlist(source, choice(0, 4));
  ASSERT_TRUE(made);
  ASSERT_EQ(made->segments.size(), 4u);
  for (std::size_t i : {0u, 2u, 3u}) {
    EXPECT_TRUE(made->segments[i].gap);
    EXPECT_FALSE(made->segments[i].tiles);
  }
  EXPECT_EQ(made->segments[3].uri, "../../../film/0abc/thumbnails/7.jpg");
  EXPECT_EQ(named_by({{"thumbnails", *made}}, "goal", "1xyz").size(), 1u);
  EXPECT_FALSE(sheet_playlist(source, choice(2, 4))) << "none is there";
  source.sheets = {};
  EXPECT_FALSE(sheet_playlist(source, choice(0, 4)));
}

/// Of a clip as a source the number is a place in it, not a name.
TEST(ClipSheets, AGapOfAClipIsNamedAsThere) {
  Source source = film();
  source.asset = "goal";
  source.sheets.segments.back().gap = true;
  auto made = sheet_playlist(source, choice(1, 4));
  ASSERT_TRUE(made);
  EXPECT_TRUE(made->segments[2].gap);
  EXPECT_FALSE(made->segments[2].tiles);
  for (const Holds& each : holds_of({{"thumbnails", *made}}, "replay", "1xyz"))
    EXPECT_EQ(each.asset, "film");
}

TEST(ClipSheets, AreHeld) {
  auto made = sheet_playlist(film(), choice(1, 3));
  ASSERT_TRUE(made);
  auto holds = holds_of({{"thumbnails", *made}}, "goal", "1xyz");
  EXPECT_EQ(holds, (std::vector<Holds>{{"film", "0abc", {{"thumbnails", 5, 6}}}}));
  EXPECT_TRUE(Held(holds).has("thumbnails/6.jpg"));
}

TEST(ClipSheets, OfAnExactClipBeginWithinASheet) {
  auto rough = sheet_playlist(film(), choice(1, 3));
  ASSERT_TRUE(rough);
  media::MediaPlaylist lead{.target_duration_s = 5, .ended = true};
  lead.segments = {{"0.m4s", 9'000, 2'000}, {"1.m4s", 3 * second, second}};
  media::MediaPlaylist exact = exact_sheets(*rough, lead, 1'500'000);
  std::string text = media::write(exact);
  EXPECT_NE(text.find("#EXTINF:4.500000,\n#EXT-X-TILES:RESOLUTION=240x136,LAYOUT=3x1,"
                      "DURATION=2.000000,X-SKIP=1.500000\n../../../film/0abc/thumbnails/5.jpg\n"
                      "#EXTINF:3.000000,\n#EXT-X-TILES:RESOLUTION=240x136,LAYOUT=3x1,"
                      "DURATION=2.000000\n../../../film"),
            std::string::npos)
      << text;
  auto again = media::read_media_playlist(text);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->segments[0].tiles->skip_us, 1'500'000);
  EXPECT_EQ(exact_sheets(*again, lead, 500'000).segments[0].tiles->skip_us, 2 * second)
      << "of a clip of a clip";
}

TEST(ClipSheets, StandInTheMultivariantPlaylist) {
  media::MultivariantPlaylist from;
  from.images = {{.uri = "0abc/thumbnails/index.m3u8", .bandwidth = 1, .codecs = "jpeg"}};
  MediaPlaylists playlists{{"thumbnails", *sheet_playlist(film(), choice(1, 3))}};
  MeasuredOf measured = [](const Place&) -> Measured { return {60'000, {}}; };
  auto made = multivariant_playlist(from, playlists, "goal", "1xyz", measured);
  ASSERT_EQ(made.images.size(), 1u);
  EXPECT_EQ(made.images[0].uri, "1xyz/thumbnails/index.m3u8");
  EXPECT_EQ(made.images[0].bandwidth, 80'000);
  EXPECT_EQ(made.images[0].codecs, "jpeg");
  EXPECT_TRUE(multivariant_playlist(from, {}, "goal", "1xyz", measured).images.empty());
}

}  // namespace
}  // namespace relay::origin::clip
