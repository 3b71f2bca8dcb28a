// What was half done when the origin was killed: its notes, and what a window shows afterwards.
#include "origin/live/half_done.hpp"

#include <gtest/gtest.h>

#include "origin/live/deadlines.hpp"

namespace relay::origin::live {
namespace {

using namespace std::chrono_literals;

constexpr WallTime epoch{std::chrono::milliseconds(1'767'225'600'000)};

Grid grid() {
  media::LiveSetup setup{.group_frames = 50, .segment_frames = 100, .parts_per_group = 4};
  return Grid(epoch.time_since_epoch().count(), setup);
}

/// A moment of segment `number`, which lasts 4 s.
WallTime in(std::int64_t number, std::chrono::milliseconds since_begin) {
  return epoch + number * 4s + since_begin;
}

Part part(std::uint64_t seed) {
  return {.bytes = 100 + seed,
          .ticks = 500,
          .independent = seed == 0,
          .digest = {seed, 1},
          .key = {24, seed == 0 ? 70u : 0u, 0}};
}

std::string notes_of(std::int64_t number, std::uint64_t parts, bool closing = false) {
  std::string notes;
  for (std::uint64_t i = 0; i < parts; ++i)
    notes += note_of(number, part(i), closing && i + 1 == parts);
  return notes;
}

std::optional<HalfDone> half_done(std::int64_t number, std::uint64_t parts, bool closing = false) {
  return half_done_from_notes(notes_of(number, parts, closing));
}

/// Segments 5 and 6 were kept.
Window kept() {
  Window window(grid(), 1000);
  window.restore({{.number = 5, .parts = {part(0)}}, {.number = 6, .parts = {part(0)}}});
  return window;
}

TEST(HalfDoneNotes, ReadBack) {
  auto read = half_done(7, 3);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->segment.number, 7);
  EXPECT_FALSE(read->closing);
  ASSERT_EQ(read->segment.parts.size(), 3u);
  EXPECT_TRUE(read->segment.parts[0].independent);
  EXPECT_EQ(read->segment.parts[0].key, (media::KeyPicture{24, 70, 0}));
  EXPECT_EQ(read->segment.parts[2].bytes, 102u);
  EXPECT_EQ(read->segment.parts[2].ticks, 500);
  EXPECT_EQ(read->segment.parts[2].digest, part(2).digest);
  EXPECT_TRUE(half_done(7, 3, true)->closing);
}

TEST(HalfDoneNotes, EndWhereThoseOfAnEarlierSegmentBegin) {
  std::string notes = notes_of(6, 8, true);
  for (std::uint64_t parts = 1; parts < 8; ++parts) {
    notes.replace(0, parts * note_bytes, notes_of(7, parts));
    auto read = half_done_from_notes(notes);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->segment.number, 7);
    EXPECT_EQ(read->segment.parts.size(), parts);
    EXPECT_FALSE(read->closing);
  }
}

TEST(HalfDoneNotes, OfHalfAPartOrOfZerosAreNone) {
  std::string notes = notes_of(7, 2);
  EXPECT_EQ(half_done_from_notes(notes.substr(0, notes.size() - 1))->segment.parts.size(), 1u);
  EXPECT_FALSE(half_done_from_notes(notes.substr(0, note_bytes - 1)));
  EXPECT_FALSE(half_done_from_notes(std::string(4 * note_bytes, '\0')));
  EXPECT_FALSE(half_done_from_notes(""));
}

TEST(HalfDoneResume, ShowsThePartsThatWereNamedUnderTheirNumbers) {
  Window window = kept();
  resume(window, half_done(7, 3), grid(), in(7, 2500ms));
  ASSERT_TRUE(window.open());
  EXPECT_EQ(window.reached(), (media::LivePosition{7, 3}));
  EXPECT_EQ(media::next_of(window.show(false)), (media::LivePosition{7, 3, 1}));
  EXPECT_EQ(window.fit(7, 3, {}), Window::Fit::next);
  EXPECT_EQ(window.offset_of(7), 303u);
}

TEST(HalfDoneResume, LeavesTimeToFinishWhatEndedAMomentAgo) {
  Window window = kept();
  resume(window, half_done(7, 3), grid(), in(8, 1500ms));
  EXPECT_EQ(window.reached(), (media::LivePosition{7, 3}));
}

TEST(HalfDoneResume, WhatTheClockMayHavePassedOverIsAGapThatKeepsItsParts) {
  auto soonest = gap_after(grid().setup().target_duration_s(), 0ms);
  Window window = kept();
  resume(window, half_done(7, 3), grid(), in(8, soonest));
  EXPECT_FALSE(window.open());
  EXPECT_EQ(window.next(), 8) << "the segment at hand may still be made";
  media::LiveWindow shown = window.show(false);
  EXPECT_TRUE(shown.segments.back().gap);
  ASSERT_EQ(shown.segments.back().parts.size(), 8u);
  for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(shown.segments.back().parts[i].gap, i >= 3);
}

TEST(HalfDoneResume, WhatWasOnlyToBeKeptIsKeptHoweverLateItIs) {
  Window window = kept();
  resume(window, half_done(7, 8, true), grid(), in(20, 0ms));
  ASSERT_NE(window.closing(), nullptr);
  EXPECT_EQ(window.closing()->number, 7);
}

TEST(HalfDoneResume, BehindWhatWasKeptOnlyWhatIsOverIsAGap) {
  Window window = kept();
  resume(window, half_done(6, 8, true), grid(), in(9, 100ms));
  EXPECT_FALSE(window.open());
  EXPECT_EQ(window.next(), 9);
  EXPECT_FALSE(window.has(8));
}

TEST(HalfDoneResume, GapsInFrontOfItStay) {
  Window window = kept();
  resume(window, half_done(9, 1), grid(), in(9, 1s));
  EXPECT_EQ(window.reached(), (media::LivePosition{9, 1}));
  EXPECT_FALSE(window.has(8));
}

TEST(HalfDoneResume, WithoutNotesTheSegmentAtHandIsAGapAtOnce) {
  for (const auto& notes : {std::optional<HalfDone>(), half_done(5, 8, true)}) {
    Window window = kept();
    resume(window, notes, grid(), in(7, 100ms));
    EXPECT_EQ(window.next(), 8);
  }
}

}  // namespace
}  // namespace relay::origin::live
