// Delta updates put together with what a client holds: made-up windows that go on, slide, pass over
// segments and come from elsewhere. What comes of it is what the origin's writer writes, or
// nothing.
#include "common/media/live_playlist_delta.hpp"

#include <gtest/gtest.h>

#include <random>

#include "common/media/live_playlist.hpp"

namespace relay::media {
namespace {

constexpr std::int64_t target_us = 4'000'000;
constexpr std::int64_t parts_a_segment = 8;

class Story {
 public:
  explicit Story(std::uint32_t seed) : random_(seed) {
    window.reports = {{"../audio/index.m3u8", {}}};
    window.segments.push_back(begun(pick(100, 2000)));
    for (std::int64_t parts = pick(0, 80) * parts_a_segment; parts > 0; --parts) go_on();
  }

  /// A part comes, or its segment is passed over; what is too old leaves.
  void go_on() {
    LiveSegment& open = window.segments.back();
    open.parts.push_back({500'000, open.parts.size() % 4 == 0});
    open.closing = std::ssize(open.parts) == parts_a_segment;
    if (open.closing || pick(0, 40) == 0) complete(open);
    window.hints = pick(0, 5) > 0;
    std::int64_t last = window.segments.back().number;
    window.reports[0].next = {last - pick(0, 1), pick(0, 7), pick(0, 1) * parts_a_segment};
    while (std::ssize(window.segments) > most_) window.segments.erase(window.segments.begin());
  }

  std::int64_t pick(std::int64_t least, std::int64_t most) {
    return std::uniform_int_distribution<std::int64_t>(least, most)(random_);
  }

  std::int64_t end_us() const {
    const LiveSegment& open = window.segments.back();
    return open.number * target_us + std::ssize(open.parts) * target_us / parts_a_segment;
  }

  /// With the parts of recent segments only, as an origin's view has them.
  std::string whole() const { return write(window); }
  std::string delta() const { return write_delta(window); }

  LiveWindow window;

 private:
  static LiveSegment begun(std::int64_t number) {
    return {.number = number, .date_us = number * target_us, .complete = false};
  }

  void complete(LiveSegment& open) {
    open.gap = !open.closing;
    open.microseconds = target_us;
    open.complete = true;
    open.closing = false;
    window.segments.push_back(begun(open.number + 1));
  }

  std::mt19937 random_;
  std::ptrdiff_t most_ = pick(7, 70);
};

std::optional<WholePlaylist> merge(const std::string& held, const std::string& delta) {
  auto had = read_live_playlist(held);
  EXPECT_TRUE(had);
  return merge_delta(held, *had, delta);
}

void expect_same(const LivePlaylistOutline& made, const LivePlaylistOutline& read) {
  ASSERT_EQ(made.segments.size(), read.segments.size());
  for (std::size_t i = 0; i < read.segments.size(); ++i) {
    const auto &a = made.segments[i], &b = read.segments[i];
    ASSERT_EQ(std::tie(a.begin, a.end, a.microseconds, a.parts, a.mixed),
              std::tie(b.begin, b.end, b.microseconds, b.parts, b.mixed))
        << i;
  }
  EXPECT_EQ(made.next(), read.next());
  EXPECT_EQ(std::tie(made.media_sequence, made.target_duration_s, made.part_target_us,
                     made.can_block, made.can_skip_us, made.ended, made.open_us, made.hint),
            std::tie(read.media_sequence, read.target_duration_s, read.part_target_us,
                     read.can_block, read.can_skip_us, read.ended, read.open_us, read.hint));
}

/// 6.2.5.1: a client asks for one while its version is half a skip boundary old at most.
TEST(LivePlaylistDelta, WhatIsPutTogetherIsTheWholeByteForByte) {
  int deltas = 0;
  for (std::uint32_t seed = 0; seed < 400; ++seed) {
    Story story(seed);
    for (int version = 0; version < 10; ++version) {
      std::string held = story.whole();
      std::int64_t held_us = story.end_us();
      for (std::int64_t parts = story.pick(1, 30); parts > 0; --parts) story.go_on();
      std::string delta = story.delta();
      if (!is_delta(delta)) continue;
      auto made = merge(held, delta);
      bool is_recent = story.end_us() - held_us <= 3 * target_us;
      ASSERT_TRUE(made || !is_recent) << "seed " << seed << "\n" << held << "\n" << delta;
      if (!made) continue;
      ++deltas;
      ASSERT_EQ(made->text, story.whole()) << "seed " << seed;
      expect_same(made->outline, *read_live_playlist(made->text));
    }
  }
  EXPECT_GT(deltas, 1000);
}

TEST(LivePlaylistDelta, SoAreThumbnails) {
  LiveSetup setup{.group_frames = 50, .segment_frames = 100, .tile_width = 240, .tile_height = 136};
  int deltas = 0;
  for (std::uint32_t seed = 0; seed < 50; ++seed) {
    Story story(seed);
    std::string held = write(sheets_of(story.window, setup));
    for (std::int64_t parts = story.pick(1, 20); parts > 0; --parts) story.go_on();
    std::string whole = write(sheets_of(story.window, setup));
    auto delta = cut_delta(whole, *read_live_playlist(whole));
    auto made = delta ? merge(held, *delta) : std::nullopt;
    if (!made) continue;
    ++deltas;
    ASSERT_EQ(made->text, whole) << "seed " << seed;
  }
  EXPECT_GT(deltas, 20);
}

/// The same numbers, and other moments.
TEST(LivePlaylistDelta, OneOfAnotherTimelineIsNeverUsed) {
  int deltas = 0;
  for (std::uint32_t seed = 0; seed < 200; ++seed) {
    Story held(seed), other(seed + 1);
    std::string before = held.whole();
    std::int64_t moved = held.window.segments.back().number - other.window.segments.back().number;
    for (auto& each : other.window.segments) {
      each.number += moved;
      each.date_us = each.number * target_us + 1'000;
    }
    std::string delta = other.delta();
    deltas += is_delta(delta) ? 1 : 0;
    ASSERT_FALSE(merge(before, delta)) << "seed " << seed;
  }
  EXPECT_GT(deltas, 50);
}

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  std::size_t at = text.find(what);
  EXPECT_NE(at, text.npos) << what;
  return at == text.npos ? text : text.replace(at, what.size(), by);
}

LiveWindow plain_window(std::int64_t first, std::int64_t end) {
  LiveWindow window{.reports = {{"../audio/index.m3u8", {end, 0, 0}}}};
  for (std::int64_t n = first; n < end; ++n)
    window.segments.push_back({.number = n, .microseconds = target_us, .date_us = n * target_us});
  return window;
}

TEST(LivePlaylistDelta, OneThatDoesNotFitIsNotUsed) {
  std::string held = write(plain_window(100, 120)), delta = write_delta(plain_window(101, 121));
  ASSERT_TRUE(merge(held, delta));
  struct Row {
    const char *what, *by;
  };
  for (const Row& row : {
           Row{"SKIPPED-SEGMENTS=14", "SKIPPED-SEGMENTS=13"},
           Row{"SKIPPED-SEGMENTS=14", "SKIPPED-SEGMENTS=19"},
           Row{"SKIPPED-SEGMENTS=14", "SKIPPED-SEGMENTS=9223372036854775807"},
           Row{"SKIPPED-SEGMENTS=14", "SKIPPED-SEGMENTS=0"},
           Row{"SKIPPED-SEGMENTS=14", "SKIPPED-SEGMENTS=14,RECENTLY-REMOVED-DATERANGES=\"a\""},
           Row{"SEQUENCE:101", "SEQUENCE:99"},
           Row{"SEQUENCE:101", "SEQUENCE:102"},
           Row{"SEQUENCE:101", "SEQUENCE:500"},
           Row{"#EXTINF:4.000000,\n116", "#EXTINF:3.000000,\n116"},
           Row{"116.m4s", "other/116.m4s"},
           Row{"VERSION:9", "VERSION:10"},
       }) {
    EXPECT_FALSE(merge(held, replaced(delta, row.what, row.by))) << row.by;
  }
  EXPECT_FALSE(merge(held, replaced(delta, "\n#EXT-X-PROGRAM-DATE-TIME",
                                    "\n#EXT-X-DATERANGE:ID=\"a\"\n#EXT-X-PROGRAM-DATE-TIME")));
  EXPECT_FALSE(merge(held, held)) << "no delta at all";
}

/// What the front of a later version needs, nobody can know from what is held.
TEST(LivePlaylistDelta, NorIsOneWhoseFrontIsNotKnown) {
  std::string held = write(plain_window(100, 120));
  std::string slid = write_delta(plain_window(101, 121)),
              stands = write_delta(plain_window(100, 120));
  for (const char* lead : {"#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n", "#EXT-X-BITRATE:900\n"}) {
    std::string keyed =
        replaced(held, "#EXT-X-PROGRAM-DATE-TIME", std::string(lead) + "#EXT-X-PROGRAM-DATE-TIME");
    EXPECT_FALSE(merge(keyed, slid)) << lead;
    EXPECT_TRUE(merge(keyed, stands)) << lead;
  }
  std::string ranged = replaced(held, "100.m4s\n", "100.m4s\n#EXT-X-DATERANGE:ID=\"a\"\n");
  EXPECT_FALSE(merge(ranged, stands)) << "the whole may have lost it";
}

}  // namespace
}  // namespace relay::media
