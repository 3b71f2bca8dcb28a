// Low-latency playlists: what is written, what is asked, and what is read back.
#include "common/media/live_playlist.hpp"

#include <gtest/gtest.h>

#include "common/media/live_playlist_delta.hpp"

namespace relay::media {
namespace {

constexpr std::int64_t epoch_us = 1'767'225'600'000'000;  // 2026-01-01T00:00:00Z

LiveSegment segment(std::int64_t number, std::size_t parts = 2) {
  LiveSegment one{
      .number = number, .microseconds = 4'000'000, .date_us = epoch_us + number * 4'000'000};
  for (std::size_t i = 0; i < parts; ++i) one.parts.push_back({2'000'000, i == 0});
  return one;
}

LiveSegment open_segment(std::int64_t number, std::size_t parts) {
  LiveSegment one = segment(number, parts);
  one.complete = false;
  return one;
}

LiveWindow window_of(std::int64_t first, std::int64_t end) {
  LiveWindow window{.target_duration_s = 4, .part_target_ms = 2022};
  for (std::int64_t n = first; n < end; ++n) window.segments.push_back(segment(n));
  return window;
}

TEST(LivePlaylist, WhatIsWholeIsAnOrdinaryPlaylistAndThumbnailsGoAlong) {
  LiveWindow window = window_of(7, 9);
  window.segments[0].gap = true;
  window.segments.push_back(open_segment(9, 1));
  MediaPlaylist whole = whole_of(window);
  EXPECT_EQ(whole.media_sequence, 7);
  ASSERT_EQ(whole.segments.size(), 2u);
  EXPECT_EQ(whole.segments[1].uri, "8.m4s");
  EXPECT_EQ(whole.segments[1].date_us, epoch_us + 32'000'000);
  LiveSetup setup{.group_frames = 50, .segment_frames = 100, .tile_width = 240, .tile_height = 136};
  EXPECT_EQ(write(sheets_of(window, setup)),
            "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:7\n"
            "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=6.066,HOLD-BACK=12.0,"
            "CAN-SKIP-UNTIL=24.0\n#EXT-X-IMAGES-ONLY\n"
            "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:28.000Z\n#EXT-X-GAP\n"
            "#EXTINF:4.000000,\n7.jpg\n"
            "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:32.000Z\n#EXTINF:4.000000,\n"
            "#EXT-X-TILES:RESOLUTION=240x136,LAYOUT=2x1,DURATION=2.000000\n8.jpg\n");
  window.ended = true;
  EXPECT_EQ(sheets_of(window, setup).type, PlaylistType::vod);
  EXPECT_EQ(sheets_of(window, setup).server_control, "");
}

TEST(LivePlaylist, ADeltaOfThumbnailsLeavesOutTheTilesOfWhatItSkips) {
  LiveSetup setup{.group_frames = 50, .segment_frames = 100, .tile_width = 240, .tile_height = 136};
  std::string text = write(sheets_of(window_of(0, 10), setup));
  auto outline = read_live_playlist(text);
  ASSERT_TRUE(outline);
  EXPECT_TRUE(outline->can_block);
  EXPECT_EQ(outline->next(), (LivePosition{10, 0, 0}));
  auto delta = cut_delta(text, *outline);
  ASSERT_TRUE(delta);
  EXPECT_NE(delta->find("SKIPPED-SEGMENTS=4"), delta->npos);
  std::size_t tiles = 0;
  for (std::size_t at = 0; (at = delta->find("EXT-X-TILES", at)) != delta->npos; ++at) ++tiles;
  EXPECT_EQ(tiles, 6u);
}

TEST(LivePlaylist, IsWrittenWithPartsHintAndReports) {
  LiveWindow window = window_of(7, 9);
  window.segments[0].gap = true;
  window.segments[0].parts[1] = {.microseconds = 2'000'000, .gap = true};
  window.segments.push_back(open_segment(9, 1));
  window.reports = {{"../v360/index.m3u8", {9, 1, 2}},
                    {"../audio/index.m3u8", {9, 0, 2}},
                    {"../v144/index.m3u8", {9, 0, 0}}};
  EXPECT_EQ(write(window), R"(#EXTM3U
#EXT-X-VERSION:6
#EXT-X-TARGETDURATION:4
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=6.066,HOLD-BACK=12.0,CAN-SKIP-UNTIL=24.0
#EXT-X-PART-INF:PART-TARGET=2.022
#EXT-X-MEDIA-SEQUENCE:7
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MAP:URI="init.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:28.000Z
#EXT-X-PART:DURATION=2.000000,URI="7.0.m4s",INDEPENDENT=YES
#EXT-X-PART:DURATION=2.000000,URI="7.1.m4s",GAP=YES
#EXT-X-GAP
#EXTINF:4.000000,
7.m4s
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:32.000Z
#EXT-X-PART:DURATION=2.000000,URI="8.0.m4s",INDEPENDENT=YES
#EXT-X-PART:DURATION=2.000000,URI="8.1.m4s"
#EXTINF:4.000000,
8.m4s
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:36.000Z
#EXT-X-PART:DURATION=2.000000,URI="9.0.m4s",INDEPENDENT=YES
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="9.1.m4s"
#EXT-X-RENDITION-REPORT:URI="../v360/index.m3u8",LAST-MSN=9,LAST-PART=0
#EXT-X-RENDITION-REPORT:URI="../audio/index.m3u8",LAST-MSN=8,LAST-PART=1
#EXT-X-RENDITION-REPORT:URI="../v144/index.m3u8",LAST-MSN=8
)");
}

TEST(LivePlaylist, ShowsPartsOfTheLastThreeTargetDurationsOnly) {
  std::string text = write(window_of(0, 10));
  EXPECT_EQ(text.find("6.1.m4s"), text.npos);
  EXPECT_NE(text.find("\"7.0.m4s\""), text.npos);
}

TEST(LivePlaylist, EndedIsOnDemandWithoutPartsOrHints) {
  LiveWindow window = window_of(3, 6);
  window.ended = true;
  std::string text = write_delta(window);
  EXPECT_EQ(text, write(window));
  EXPECT_NE(text.find("#EXT-X-PLAYLIST-TYPE:VOD\n"), text.npos);
  EXPECT_TRUE(text.ends_with("5.m4s\n#EXT-X-ENDLIST\n"));
  for (const char* tag : {"EXT-X-PART", "EXT-X-PRELOAD-HINT", "EXT-X-SERVER-CONTROL"})
    EXPECT_EQ(text.find(tag), text.npos) << tag;
}

TEST(LivePlaylist, DeltaSkipsWhatLiesBeforeSixTargetDurations) {
  LiveWindow window = window_of(100, 120);
  window.segments.push_back(open_segment(120, 1));
  std::string delta = write_delta(window);
  // 2 s of 120 and 6 segments reach 26 s from the end; 114 begins at 26 s.
  EXPECT_NE(delta.find("#EXT-X-VERSION:9\n"), delta.npos);
  EXPECT_NE(delta.find("#EXT-X-MEDIA-SEQUENCE:100\n"), delta.npos);
  EXPECT_NE(delta.find("#EXT-X-SKIP:SKIPPED-SEGMENTS=14\n"), delta.npos);
  EXPECT_EQ(delta.find("\n113.m4s"), delta.npos);
  EXPECT_NE(delta.find("\n114.m4s"), delta.npos);
  EXPECT_EQ(delta.find("EXT-X-MAP"), delta.npos);
}

TEST(LivePlaylist, DeltaOfAShortWindowIsTheWholeText) {
  EXPECT_EQ(write_delta(window_of(0, 6)), write(window_of(0, 6)));
}

TEST(LivePlaylist, HintsOnlyWhenThereIsSomethingToComeForWhichOneMayWait) {
  LiveWindow window = window_of(0, 3);
  EXPECT_NE(write(window).find("URI=\"3.0.m4s\""), std::string::npos);
  window.hints = false;
  EXPECT_EQ(write(window).find("PRELOAD-HINT"), std::string::npos);
}

TEST(LivePlaylist, TellsWhatIsNext) {
  LiveWindow window = window_of(5, 7);
  EXPECT_EQ(next_of(window), (LivePosition{7, 0, 2}));
  window.segments.push_back(open_segment(7, 1));
  EXPECT_EQ(next_of(window), (LivePosition{7, 1, 2}));
  EXPECT_EQ(next_of(LiveWindow{}), LivePosition{});
}

TEST(LiveDirectives, AreReadFromAQuery) {
  struct Row {
    const char* query;
    std::optional<std::int64_t> segment, part;
    bool skip;
    const char* spelled;
  };
  for (const Row& row : {
           Row{"", {}, {}, false, ""},
           Row{"token=x&_HLS_skip=v2", {}, {}, true, "_HLS_skip=YES"},
           Row{"_HLS_part=2&_HLS_msn=10", 10, 2, false, "_HLS_msn=10&_HLS_part=2"},
           Row{"_HLS_msn=10&_HLS_skip=YES&", 10, {}, true, "_HLS_msn=10&_HLS_skip=YES"},
           Row{"_HLS_skip=NO&_HLS_push=1", {}, {}, false, ""},
       }) {
    auto read = read_live_directives(row.query);
    ASSERT_TRUE(read) << row.query;
    EXPECT_EQ(*read, (LiveDirectives{row.segment, row.part, row.skip})) << row.query;
    EXPECT_EQ(to_query(*read), row.spelled);
  }
  for (const char* query : {"_HLS_part=1", "_HLS_msn=", "_HLS_msn=-1", "_HLS_msn=1&_HLS_msn=1",
                            "_HLS_msn=x", "_HLS_msn=1&_HLS_part=1.5", "_HLS_msn"}) {
    auto read = read_live_directives(query);
    ASSERT_FALSE(read) << query;
    EXPECT_EQ(read.error().kind, ErrorKind::invalid);
  }
}

TEST(LiveDirectives, AreJudged) {
  using enum LiveReadiness;
  constexpr LivePosition closed{20, 0, 8};  // 19 is the last, of 8 parts
  constexpr LivePosition open{20, 3, 8};    // three parts of 20
  constexpr LivePosition after_gap{20, 0, 0};
  struct Row {
    const char* query;
    LivePosition next;
    LiveReadiness readiness;
  };
  for (const Row& row : {
           Row{"", closed, ready},
           Row{"_HLS_skip=YES", closed, ready},
           Row{"_HLS_msn=19", closed, ready},
           Row{"_HLS_msn=20", closed, wait},
           Row{"_HLS_msn=20", open, wait},
           Row{"_HLS_msn=21", closed, wait},
           Row{"_HLS_msn=22", closed, never},
           Row{"_HLS_msn=3&_HLS_part=1", closed, ready},    // rolled out long ago
           Row{"_HLS_msn=3&_HLS_part=900", closed, ready},  // any part of an old one
           Row{"_HLS_msn=19&_HLS_part=7", closed, ready},
           Row{"_HLS_msn=19&_HLS_part=8", closed, wait},  // the first of 20
           Row{"_HLS_msn=19&_HLS_part=8", open, ready},
           Row{"_HLS_msn=19&_HLS_part=3", after_gap, ready},
           Row{"_HLS_msn=20&_HLS_part=0", closed, wait},
           Row{"_HLS_msn=20&_HLS_part=2", open, ready},
           Row{"_HLS_msn=20&_HLS_part=3", open, wait},
           Row{"_HLS_msn=20&_HLS_part=18", open, wait},  // 16 ahead of part 2: two segments
           Row{"_HLS_msn=20&_HLS_part=19", open, never},
           Row{"_HLS_msn=20&_HLS_part=15", closed, wait},  // an ordinary player that is late
           Row{"_HLS_msn=20&_HLS_part=16", closed, never},
           Row{"_HLS_msn=20&_HLS_part=15", after_gap, wait},
           Row{"_HLS_msn=21&_HLS_part=0", open, wait},
           Row{"_HLS_msn=21&_HLS_part=15", open, wait},
           Row{"_HLS_msn=21&_HLS_part=16", open, never},
       }) {
    auto read = read_live_directives(row.query);
    ASSERT_TRUE(read);
    LiveJudgement judged = judge(*read, row.next, false, {4, 500});
    EXPECT_EQ(judged.readiness, row.readiness) << row.query << " " << judged.reason;
    EXPECT_EQ(judged.reason.empty(), row.readiness != never);
    EXPECT_EQ(judge(*read, row.next, true, {4, 500}).readiness, ready) << "ended";
  }
}

TEST(LiveDirectives, LimitWhatMayBeAskedAhead) {
  EXPECT_EQ(advance_part_limit(500), 6);
  EXPECT_EQ(advance_part_limit(522), 6);
  EXPECT_EQ(advance_part_limit(334), 9);
  EXPECT_EQ(advance_part_limit(1000), 3);
  EXPECT_EQ(advance_part_limit(2000), 3);
  EXPECT_EQ(part_advance_max({4, 500}), 16);
  EXPECT_EQ(part_advance_max({1, 334}), 9) << "three seconds at least";
}

TEST(LivePlaylistReader, FindsWhatTheWriterWrote) {
  LiveWindow window = window_of(100, 120);
  window.segments.push_back(open_segment(120, 1));
  std::string text = write(window);
  auto outline = read_live_playlist(text);
  ASSERT_TRUE(outline) << outline.error().message;
  EXPECT_EQ(outline->media_sequence, 100);
  EXPECT_EQ(outline->target_duration_s, 4);
  EXPECT_EQ(outline->part_target_us, 2'022'000);
  EXPECT_TRUE(outline->can_block);
  EXPECT_EQ(outline->can_skip_us, 24'000'000);
  EXPECT_FALSE(outline->ended);
  EXPECT_EQ(outline->segments.size(), 20u);
  EXPECT_EQ(outline->next(), next_of(window));
  EXPECT_EQ(outline->hint, "120.1.m4s");
}

TEST(LivePlaylistReader, CutsTheDeltaThatTheWriterWrites) {
  for (std::size_t open_parts : {0, 1, 2}) {
    LiveWindow window = window_of(100, 140);
    window.segments[3].gap = true;
    if (open_parts > 0) window.segments.push_back(open_segment(140, open_parts));
    std::string text = write(window);
    auto outline = read_live_playlist(text);
    ASSERT_TRUE(outline);
    EXPECT_EQ(cut_delta(text, *outline), write_delta(window));
  }
  std::string brief = write(window_of(0, 3));
  EXPECT_EQ(cut_delta(brief, *read_live_playlist(brief)), std::nullopt);
}

TEST(LivePlaylistReader, KeepsWhatBelongsToTheWholePlaylist) {
  std::string text =
      "#EXTM3U\r\n#EXT-X-TARGETDURATION:1\r\n#EXT-X-VERSION:10\r\n"
      "#EXT-X-SERVER-CONTROL:CAN-SKIP-UNTIL=6.0\r\n# said by hand\r\n#EXT-X-MEDIA-SEQUENCE:4\r\n"
      "#EXT-X-MAP:URI=\"i\"\r\n#EXT-X-DATERANGE:ID=\"a\"\r\n#EXTINF:1,\r\na\r\n";
  for (char name : std::string_view("bcdefg"))
    text += std::string("#EXTINF:1,\r\n") + name + "\r\n";
  auto outline = read_live_playlist(text);
  ASSERT_TRUE(outline);
  EXPECT_EQ(outline->next(), (LivePosition{11, 0, 0}));
  auto delta = cut_delta(text, *outline);
  ASSERT_TRUE(delta);
  EXPECT_TRUE(delta->starts_with(
      "#EXTM3U\r\n#EXT-X-TARGETDURATION:1\r\n#EXT-X-VERSION:10\r\n"
      "#EXT-X-SERVER-CONTROL:CAN-SKIP-UNTIL=6.0\r\n# said by hand\r\n#EXT-X-MEDIA-SEQUENCE:4\r\n"
      "#EXT-X-SKIP:SKIPPED-SEGMENTS=1\n#EXT-X-DATERANGE:ID=\"a\"\r\n#EXTINF:1,\r\nb\r\n"))
      << *delta;
}

TEST(LivePlaylistReader, RefusesWhatItCannotAnswerFrom) {
  std::string head = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n";
  for (std::string text :
       {std::string(), std::string("<html>"), std::string("#EXTM3U\n"),
        head + "#EXT-X-SKIP:SKIPPED-SEGMENTS=3\n", head + "#EXT-X-STREAM-INF:BANDWIDTH=1\nb\n",
        head + "#EXTINF:x,\na\n", head + "#EXT-X-PART:URI=\"a\"\n",
        head + "#EXTINF:4,\na\n#EXT-X-MEDIA-SEQUENCE:3\n"}) {
    auto read = read_live_playlist(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().kind, ErrorKind::invalid);
  }
}

}  // namespace
}  // namespace relay::media
