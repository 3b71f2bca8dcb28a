#include "origin/clip/growth.hpp"

#include <gtest/gtest.h>

namespace relay::origin::clip {
namespace {

constexpr std::int64_t second = 1'000'000;

/// Segments 7 to 10 of 4 s; the wall clock at the first one's begin is 1000 s.
Source channel() {
  Source source{"live", "0abc", 1'000 * second, true, 4, {}};
  source.renditions = {
      {"v720", true, {{7, 4 * second}, {8, 4 * second}, {9, 4 * second}, {10, 4 * second}}},
      {"v360", true, {{7, 4 * second}, {8, 4 * second}, {9, 4 * second}, {10, 4 * second}}},
      {"audio", false, {{7, 4'010'667}, {8, 3'989'333}, {9, 4 * second}, {10, 4 * second}}}};
  return source;
}

void drop_after(Source& source, std::int64_t number) {
  for (SourceRendition& each : source.renditions)
    while (each.segments.back().number > number) each.segments.pop_back();
}

/// What is published at first of a clip that ends at `end_s`, while segment 8 is the last.
MediaPlaylists beginning(double end_s) {
  Source source = channel();
  drop_after(source, 8);
  Wish wish{Moment{true, 1'005 * second}, Moment{true, std::int64_t(end_s * second)}};
  EXPECT_FALSE(choose(source, wish));
  auto choice = choose_beginning(source, wish, 12 * second);
  EXPECT_TRUE(choice);
  MediaPlaylists playlists;
  for (const Cut& cut : choice->cuts)
    playlists[source.renditions[cut.rendition].name] = media_playlist(source, *choice, cut);
  leave_open(playlists);
  return playlists;
}

std::string text_of(const MediaPlaylists& playlists, const char* name) {
  return media::write(playlists.at(name));
}

TEST(ClipGrowth, ABeginningIsWhatIsThereOfWhatWasAskedFor) {
  Source source = channel();
  auto choice = choose_beginning(source, {Moment{true, 1'005 * second}, Moment{false, 20 * second}},
                                 4 * second);
  ASSERT_TRUE(choice) << choice.error().message;
  EXPECT_EQ(choice->start_us, 5 * second);
  EXPECT_EQ(choice->finish_us, 16 * second);
  EXPECT_EQ(choice->end_us, 20 * second) << "what was asked for";
  EXPECT_EQ(choice->cuts[0].end, 4u);
  auto further = choose_beginning(
      source, {Moment{true, 1'005 * second}, Moment{true, 1'020'100'000}}, 4 * second);
  ASSERT_FALSE(further);
  EXPECT_TRUE(further.error().retry);
  EXPECT_FALSE(choose_beginning(source, {Moment{false, 17 * second}, Moment{false, 18 * second}},
                                4 * second))
      << "not even its beginning";
  source.date_us.reset();
  EXPECT_FALSE(choose_beginning(source, {Moment{false, 0}, Moment{false, 18 * second}}, 4 * second))
      << "by what would its end be known?";
}

TEST(ClipGrowth, NoneIsLongerThanAClipMayBe) {
  constexpr std::int64_t hour = 3600 * second;
  Source source{"live", "0abc", 1'000 * second, true, 4, {}};
  source.renditions = {{"v720", true, {{7, 12 * hour}, {8, 12 * hour - 2 * second}}}};
  auto whole = choose_beginning(source, {Moment{false, 0}, Moment{false, 24 * hour}}, 4 * second);
  EXPECT_TRUE(whole) << whole.error().message;
  auto longer =
      choose_beginning(source, {Moment{false, 0}, Moment{false, 24 * hour + second}}, 4 * second);
  ASSERT_FALSE(longer);
  EXPECT_EQ(longer.error().kind, ErrorKind::invalid);
}

TEST(ClipGrowth, GrowsAndIsNeverTakenBack) {
  MediaPlaylists playlists = beginning(1'013.5);
  const MediaPlaylists before = playlists;
  EXPECT_NE(text_of(playlists, "v720").find("PLAYLIST-TYPE:EVENT"), std::string::npos);
  EXPECT_EQ(text_of(playlists, "v720").find("ENDLIST"), std::string::npos);
  Growth growth = grow(playlists, channel(), 1'013'500'000);
  EXPECT_TRUE(growth.grew && growth.whole);
  EXPECT_EQ(growth.end_date_us, 1'016 * second);
  close(playlists);
  for (const auto& [name, playlist] : playlists) {
    EXPECT_EQ(media::why_not_extension(before.at(name), playlist), std::nullopt) << name;
    ASSERT_EQ(playlist.segments.size(), 3u)
        << "8, 9, 10 are 1004 to 1016 s, and 7 is no part of it";
    EXPECT_EQ(playlist.segments.back().uri, "../../../live/0abc/" + name + "/10.m4s");
    EXPECT_EQ(playlist.segments.back().date_us, 1'012 * second) << "the pictures' date";
  }
}

TEST(ClipGrowth, WhatIsReadBackGrowsLikewise) {
  MediaPlaylists playlists = beginning(1'010);
  for (auto& [name, playlist] : playlists)
    playlist = *media::read_media_playlist(media::write(playlist));
  EXPECT_TRUE(grow(playlists, channel(), 1'010 * second).whole);
  EXPECT_EQ(playlists.at("audio").segments.back().uri, "../../../live/0abc/audio/9.m4s");
}

TEST(ClipGrowth, ATextIsClosedAsItsPlaylistWouldBe) {
  MediaPlaylists playlists = beginning(1'010);
  std::string text = closed(text_of(playlists, "v720"));
  close(playlists);
  EXPECT_EQ(text, text_of(playlists, "v720"));
}

TEST(ClipGrowth, WaitsForEveryRendition) {
  MediaPlaylists playlists = beginning(1'010);
  Source source = channel();
  while (source.renditions[2].segments.back().number > 8) source.renditions[2].segments.pop_back();
  Growth growth = grow(playlists, source, 1'010 * second);
  EXPECT_FALSE(growth.grew || growth.whole);
  EXPECT_EQ(growth.end_date_us, 1'008 * second);
}

TEST(ClipGrowth, EndsBeforeWhatNobodyCanPlayAndStepsOverWhatOneRenditionLacks) {
  MediaPlaylists playlists = beginning(1'014);
  Source source = channel();
  source.renditions[0].segments[2].gap = true;  // shed
  source.renditions[2].segments[3].gap = true;
  Growth growth = grow(playlists, source, 1'014 * second);
  EXPECT_TRUE(growth.grew && growth.whole);
  EXPECT_EQ(growth.end_date_us, 1'012 * second);
  EXPECT_TRUE(playlists.at("v720").segments.back().gap);
  EXPECT_FALSE(playlists.at("v360").segments.back().gap);
}

TEST(ClipGrowth, ThumbnailsStayInStep) {
  MediaPlaylists playlists = beginning(1'014);
  playlists["thumbnails"] = playlists.at("v720");
  Source source = channel();
  source.sheets = {"thumbnails", true, {}};
  media::Tiles tiles{240, 136, 4, 1, second};
  source.sheets.segments = {{8, 0, false, "8.jpg", tiles}, {9, 0, false, "9.jpg", tiles}};
  EXPECT_FALSE(grow(playlists, source, 1'014 * second).whole) << "10 has none yet";
  EXPECT_EQ(playlists.at("thumbnails").segments.back().uri, "9.jpg");
  source.sheets.segments.push_back({10, 0, true, "10.jpg", {}});
  EXPECT_TRUE(grow(playlists, source, 1'014 * second).whole);
  EXPECT_TRUE(playlists.at("thumbnails").segments.back().gap);
}

}  // namespace
}  // namespace relay::origin::clip
