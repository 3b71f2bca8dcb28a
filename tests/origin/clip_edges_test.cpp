#include "origin/clip/edges.hpp"

#include <gtest/gtest.h>

namespace relay::origin::clip {
namespace {

constexpr std::int64_t second = 1'000'000;

media::MediaPlaylist rough_playlist(const std::string& name, std::vector<std::int64_t> lengths_us) {
  std::string folder = "../../../film/0abc/" + name + "/";
  media::MediaPlaylist playlist{.map_uri = folder + "init.mp4", .start_us = second, .ended = true};
  std::int64_t number = 4;
  for (std::int64_t us : lengths_us)
    playlist.segments.push_back({folder + std::to_string(number++) + ".m4s", us, second});
  return playlist;
}

media::MediaPlaylist pieces(std::vector<std::pair<std::string, std::int64_t>> made,
                            std::string map) {
  media::MediaPlaylist playlist{.map_uri = std::move(map), .ended = true};
  for (auto& [uri, us] : made) playlist.segments.push_back({uri, us, second});
  return playlist;
}

media::MultivariantPlaylist multivariant() {
  media::MultivariantPlaylist made;
  made.audios = {{.group_id = "audio", .uri = "1xyz/audio/index.m3u8"}};
  made.variants = {
      {.uri = "1xyz/v234/index.m3u8", .bandwidth = 9, .width = 416, .frame_rate = 25},
      {.uri = "1xyz/v720/index.m3u8", .bandwidth = 7, .width = 1280, .frame_rate = 50}};
  return made;
}

MediaPlaylists rough(const std::vector<std::int64_t>& lengths_us) {
  MediaPlaylists made;
  for (const char* name : {"audio", "v234", "v720"}) made[name] = rough_playlist(name, lengths_us);
  return made;
}

TEST(ClipEdges, BothEndsOfEachRenditionAreToBeCut) {
  auto planned = plan_edges(multivariant(), rough({6 * second, 6 * second, 4 * second}),
                            {second, 13 * second});
  ASSERT_TRUE(planned) << planned.error().message;
  ASSERT_EQ(planned->size(), 3u);
  EXPECT_EQ(planned->front().rendition, "v720") << "it has the most pictures a second";
  EXPECT_EQ(planned->front().bit_s_max, 7);
  EXPECT_EQ(planned->back().rendition, "audio");
  EXPECT_FALSE(planned->back().picture);
  for (const PlannedEdges& each : *planned) {
    ASSERT_EQ(each.pieces.size(), 2u);
    const PlannedPiece &first = each.pieces[0], &last = each.pieces[1];
    EXPECT_EQ(first.segment_uri, "../../../film/0abc/" + each.rendition + "/4.m4s");
    EXPECT_EQ(first.init_uri, "../../../film/0abc/" + each.rendition + "/init.mp4");
    EXPECT_EQ(first.piece.number, media::edge_at_beginning);
    EXPECT_EQ(first.piece.from_us, second);
    EXPECT_FALSE(first.piece.to_us);
    EXPECT_EQ(last.segment_uri, "../../../film/0abc/" + each.rendition + "/6.m4s");
    EXPECT_EQ(last.piece.number, media::edge_at_end);
    EXPECT_EQ(last.piece.from_us, 0);
    EXPECT_EQ(last.piece.to_us, second);
  }
}

TEST(ClipEdges, WhatFitsIsNotCut) {
  auto begin = plan_edges(multivariant(), rough({6 * second, 4 * second}), {second, 10 * second});
  ASSERT_TRUE(begin);
  ASSERT_EQ(begin->front().pieces.size(), 1u);
  EXPECT_EQ(begin->front().pieces[0].piece.number, media::edge_at_beginning);
  auto end = plan_edges(multivariant(), rough({6 * second, 4 * second}), {0, 9 * second});
  ASSERT_TRUE(end);
  ASSERT_EQ(end->front().pieces.size(), 1u);
  EXPECT_EQ(end->front().pieces[0].piece.number, media::edge_at_end);
  EXPECT_EQ(end->front().pieces[0].piece.to_us, 3 * second);
}

TEST(ClipEdges, BothEndsMayLieInOneSegment) {
  auto planned = plan_edges(multivariant(), rough({6 * second}), {second, 3 * second});
  ASSERT_TRUE(planned);
  ASSERT_EQ(planned->front().pieces.size(), 1u);
  EXPECT_EQ(planned->front().pieces[0].piece.from_us, second);
  EXPECT_EQ(planned->front().pieces[0].piece.to_us, 3 * second);
  auto end = plan_edges(multivariant(), rough({6 * second}), {0, 3 * second});
  ASSERT_TRUE(end);
  ASSERT_EQ(end->front().pieces.size(), 1u);
  EXPECT_EQ(end->front().pieces[0].piece.number, media::edge_at_beginning);
}

TEST(ClipEdges, NothingIsCutInAGap) {
  MediaPlaylists playlists = rough({6 * second, 6 * second, 4 * second});
  playlists["v234"].segments[1].gap = true;
  EXPECT_TRUE(plan_edges(multivariant(), playlists, {second, 13 * second})) << "in the middle";
  playlists["v234"].segments[2].gap = true;
  auto planned = plan_edges(multivariant(), playlists, {second, 13 * second});
  ASSERT_FALSE(planned);
  EXPECT_EQ(planned.error().kind, ErrorKind::invalid);
  EXPECT_TRUE(plan_edges(multivariant(), playlists, {second, 16 * second})) << "not cut there";
}

TEST(ClipEdges, PiecesStandInPlaceOfWhatTheyWereCutFrom) {
  MediaPlaylists made;
  for (const char* name : {"audio", "v234", "v720"})
    made[name] = pieces({{"0.m4s", 5 * second}, {"1.m4s", second}}, "");
  auto exact = exact_playlists(rough({6 * second, 6 * second, 4 * second}), made);
  ASSERT_TRUE(exact) << exact.error().message;
  EXPECT_EQ(media::write(exact->at("v720")),
            "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:6\n#EXT-X-MEDIA-SEQUENCE:0\n"
            "#EXT-X-INDEPENDENT-SEGMENTS\n"
            "#EXT-X-MAP:URI=\"../../../film/0abc/v720/init.mp4\"\n"
            "#EXTINF:5.000000,\n0.m4s\n"
            "#EXTINF:6.000000,\n../../../film/0abc/v720/5.m4s\n"
            "#EXTINF:1.000000,\n1.m4s\n#EXT-X-ENDLIST\n");
  EXPECT_EQ(duration_us(exact->at("audio")), 12 * second);
}

TEST(ClipEdges, AnInitOfThePiecesDoesForAllOfTheirRendition) {
  MediaPlaylists made;
  for (const char* name : {"audio", "v234"})
    made[name] = pieces({{"0.m4s", 5 * second}, {"1.m4s", second}}, "");
  made["v720"] = pieces({{"0.m4s", 5 * second}, {"1.m4s", second}}, "init.mp4");
  auto exact = exact_playlists(rough({6 * second, 6 * second, 4 * second}), made);
  ASSERT_TRUE(exact);
  EXPECT_EQ(media::write(exact->at("v720")),
            "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:6\n#EXT-X-MEDIA-SEQUENCE:0\n"
            "#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-MAP:URI=\"init.mp4\"\n"
            "#EXTINF:5.000000,\n0.m4s\n"
            "#EXTINF:6.000000,\n../../../film/0abc/v720/5.m4s\n"
            "#EXTINF:1.000000,\n1.m4s\n#EXT-X-ENDLIST\n");
  for (const char* name : {"audio", "v234"})
    EXPECT_EQ(exact->at(name).map_uri, std::string("../../../film/0abc/") + name + "/init.mp4");
}

TEST(ClipEdges, WithoutPiecesNothingButTheStartChanges) {
  auto exact = exact_playlists(rough({6 * second, 4 * second}), {});
  ASSERT_TRUE(exact);
  EXPECT_EQ(exact->at("v720").segments.size(), 2u);
  EXPECT_FALSE(exact->at("v720").start_us);
}

TEST(ClipEdges, ARenditionThatWasNotCutIsAnError) {
  EXPECT_FALSE(exact_playlists(rough({6 * second}), {{"v720", pieces({{"0.m4s", 9}}, "")}}));
}

TEST(ClipEdges, WhatIsNotPlayedIsNotHeld) {
  MediaPlaylists made;
  made["v720"] = pieces({{"0.m4s", 5 * second}, {"1.m4s", second}}, "init.mp4");
  made["v234"] = pieces({{"1.m4s", second}}, "");
  made["audio"] = pieces({{"0.m4s", 5 * second}, {"1.m4s", second}}, "");
  auto exact = exact_playlists(rough({6 * second, 6 * second, 4 * second}), made);
  ASSERT_TRUE(exact);
  EXPECT_EQ(
      holds_of(*exact, "goal", "2xyz"),
      (std::vector<Holds>{{"film", "0abc", {{"audio", 5, 5}, {"v234", 4, 5}, {"v720", 5, 5}}}}));
  auto short_one = exact_playlists(rough({6 * second, 4 * second}), made);
  ASSERT_TRUE(short_one);
  EXPECT_EQ(holds_of(*short_one, "goal", "2xyz"),
            (std::vector<Holds>{{"film", "0abc", {{"audio"}, {"v234", 4, 4}}}}))
      << "of the sound the init alone, of v720 nothing";
}

}  // namespace
}  // namespace relay::origin::clip
