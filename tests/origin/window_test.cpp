// The window of a channel's rendition: parts, gaps, sliding, restarts.
#include "origin/live/window.hpp"

#include <gtest/gtest.h>

#include "origin/live/rendition.hpp"

namespace relay::origin::live {
namespace {

constexpr std::int64_t epoch_ms = 1'767'225'600'000;

Grid grid() {
  media::LiveSetup setup{.group_frames = 50, .segment_frames = 100, .parts_per_group = 4};
  return Grid(epoch_ms, setup);
}

/// Of one second, told apart by `seed`.
Part part(std::uint64_t seed) {
  return {.bytes = 100 + seed, .ticks = 1000, .independent = seed == 0, .digest = {seed, 1}};
}

Window begun(std::int64_t first) {
  Window window(grid(), 1000);
  window.begin_at(first);
  return window;
}

void add_segment(Window& window, std::int64_t number) {
  for (std::uint64_t p = 0; p < 4; ++p) window.add(number, part(p), p == 3);
  window.settle(true);
}

std::vector<std::int64_t> numbers(const Window& window) {
  std::vector<std::int64_t> all;
  for (const Segment& segment : window.segments())
    all.push_back(segment.gap ? -segment.number : segment.number);
  return all;
}

using Numbers = std::vector<std::int64_t>;

TEST(LiveWindow, ASegmentIsOpenThenClosingThenComplete) {
  Window window = begun(7);
  window.add(7, part(0), false);
  EXPECT_EQ(window.closing(), nullptr);
  EXPECT_EQ(media::next_of(window.show(false)), (media::LivePosition{7, 1, 0}));
  window.add(7, part(1), true);
  ASSERT_NE(window.closing(), nullptr);
  EXPECT_EQ(window.closing()->bytes(), 201u);
  EXPECT_EQ(window.next(), 7);
  window.settle(true);
  EXPECT_EQ(numbers(window), Numbers{7});
  EXPECT_EQ(media::next_of(window.show(false)), (media::LivePosition{8, 0, 2}));
  EXPECT_EQ(window.show(false).segments[0].microseconds, 2'000'000);
}

/// Twice three target durations, which are whole seconds: 4 s of 4 s, 2 s of 1.001 s, 3 s of 2.002
/// s.
TEST(LiveWindow, PartsStayForSixTargetDurations) {
  auto with_parts = [](std::int64_t rate, std::int64_t denominator, std::int64_t frames) {
    media::LiveSetup setup{.rate_numerator = rate,
                           .rate_denominator = denominator,
                           .group_frames = frames,
                           .segment_frames = frames};
    return Window(Grid(epoch_ms, setup), 1000).segments_with_parts();
  };
  EXPECT_EQ(with_parts(25, 1, 100), 8u);
  EXPECT_EQ(with_parts(30'000, 1001, 30), 13u);
  EXPECT_EQ(with_parts(30'000, 1001, 60), 10u);
}

TEST(LiveWindow, KeyPicturesLieWhereTheirPartsDo) {
  Window window = begun(7);
  Part key = part(0), other = part(1), second = part(2);
  key.key = {24, 30, 0};
  second.key = {0, 40, 0};
  window.add(7, key, false);
  window.add(7, other, false);
  window.add(7, second, true);
  EXPECT_EQ(window.keys_of(*window.closing()),
            (std::vector<media::KeyPicture>{{24, 30, 0}, {201, 40, 2'000'000}}));
}

TEST(LiveWindow, BehindAClosingSegmentTheFirstPartOfTheNextIsHinted) {
  Window window = begun(7);
  window.add(7, part(0), false);
  EXPECT_EQ(media::hinted_of(window.show(false)), (media::LivePosition{7, 1, 0}));
  window.add(7, part(1), true);
  View view{.window = window.show(false)};
  EXPECT_EQ(media::next_of(view.window), (media::LivePosition{7, 2, 0})) << "it is not complete";
  EXPECT_EQ(media::hinted_of(view.window).segment, 8);
  EXPECT_EQ(media::hinted_of(view.window).part, 0);
  EXPECT_EQ(find_part(view, 8, 0).found, PartFound::coming);
  EXPECT_EQ(find_part(view, 7, 2).found, PartFound::never);
}

TEST(LiveWindow, ASegmentThatCouldNotBeKeptIsAGap) {
  Window window = begun(7);
  window.add(7, part(0), true);
  window.settle(false);
  EXPECT_EQ(numbers(window), Numbers{-7});
}

TEST(LiveWindow, SaysWhereAPartFits) {
  Window window = begun(7);
  EXPECT_EQ(window.fit(7, 0, {}), Window::Fit::next);
  EXPECT_EQ(window.fit(7, 1, {}), Window::Fit::early);
  EXPECT_EQ(window.fit(6, 0, {}), Window::Fit::late);
  window.add(7, part(0), false);
  EXPECT_EQ(window.fit(7, 0, part(0).digest), Window::Fit::same);
  EXPECT_EQ(window.fit(7, 0, part(9).digest), Window::Fit::late);
  EXPECT_EQ(window.fit(7, 1, {}), Window::Fit::next);
  EXPECT_EQ(window.fit(9, 0, {}), Window::Fit::next);
  EXPECT_EQ(window.offset_of(7), 100u);
  EXPECT_EQ(window.offset_of(9), 0u);
  window.add(7, part(1), true);
  EXPECT_EQ(window.fit(8, 0, {}), Window::Fit::early) << "its forerunner is still closing";
  EXPECT_EQ(window.fit(7, 2, {}), Window::Fit::late);
}

TEST(LiveWindow, WhatIsPassedOverIsAGapThatKeepsItsParts) {
  Window window = begun(3);
  window.add(3, part(0), false);
  window.add(6, part(0), false);
  EXPECT_EQ(numbers(window), (Numbers{-3, -4, -5}));
  EXPECT_EQ(window.segments()[0].parts.size(), 1u);
  media::LiveWindow shown = window.show(false);
  EXPECT_TRUE(shown.segments[0].gap);
  EXPECT_EQ(shown.segments[0].microseconds, 4'000'000) << "the grid's length";
  EXPECT_EQ(shown.segments[1].date_us, epoch_ms * 1000 + 4 * 4'000'000);
}

TEST(LiveWindow, AGapTellsWhichPartsAreMissing) {
  Window window = begun(3);
  window.add(3, part(0), false);
  window.fill_until(5);
  media::LiveWindow shown = window.show(false);
  for (const media::LiveSegment& gap : shown.segments) {
    ASSERT_EQ(gap.parts.size(), 8u);
    for (std::size_t i = 0; i < gap.parts.size(); ++i) {
      bool is_there = gap.number == 3 && i == 0;
      EXPECT_EQ(gap.parts[i].gap, !is_there) << gap.number << "." << i;
      EXPECT_LE(gap.parts[i].microseconds, is_there ? 1'000'000 : shown.part_target_ms * 1000);
    }
  }
  EXPECT_EQ(media::next_of(shown), (media::LivePosition{5, 0, 8}));
  EXPECT_TRUE(window.show(true).segments[0].parts.empty());
}

TEST(LiveWindow, TheClockFillsGapsButNotOverASegmentThatIsBeingKept) {
  Window window = begun(3);
  window.add(3, part(0), false);
  EXPECT_FALSE(window.fill_until(3));
  EXPECT_TRUE(window.fill_until(5));
  EXPECT_EQ(numbers(window), (Numbers{-3, -4}));
  EXPECT_EQ(window.fit(4, 0, {}), Window::Fit::late);
  window.add(5, part(0), true);
  EXPECT_FALSE(window.fill_until(9));
  EXPECT_FALSE(Window(grid(), 1000).fill_until(9)) << "nothing has begun";
}

TEST(LiveWindow, SlidesByDurationAndKeepsThreeTargetDurations) {
  Window window = begun(0);
  for (std::int64_t n = 0; n < 10; ++n) add_segment(window, n);
  EXPECT_EQ(window.bytes(), 10u * 406);
  auto gone = window.slide(28'000'000);
  EXPECT_EQ(gone.size(), 3u);
  EXPECT_EQ(gone.front().number, 0);
  EXPECT_EQ(numbers(window), (Numbers{3, 4, 5, 6, 7, 8, 9}));
  ASSERT_TRUE(window.drop_oldest());
  EXPECT_FALSE(window.drop_oldest());
  EXPECT_EQ(window.bytes(), 6u * 406);
}

TEST(LiveWindow, SixSegmentsStayHoweverLittleMayBeKept) {
  Window window = begun(0);
  for (std::int64_t n = 0; n < 10; ++n) add_segment(window, n);
  EXPECT_EQ(window.slide(1).size(), 4u);
  EXPECT_EQ(numbers(window), (Numbers{4, 5, 6, 7, 8, 9}));
  EXPECT_FALSE(window.drop_oldest());
}

TEST(LiveWindow, WhatLeftStaysForItselfAndTheLongestPlaylistThatShowedIt) {
  Window window = begun(0);
  for (std::int64_t n = 0; n < 20; ++n) {
    add_segment(window, n);
    window.note_shown();
  }
  EXPECT_EQ(window.slide(40'000'000).size(), 10u);
  EXPECT_EQ(window.stays_us(0), 84'000'000);
  window.note_shown();
  for (std::int64_t n = 20; n < 30; ++n) {
    add_segment(window, n);
    window.note_shown();
    window.slide(40'000'000);
  }
  EXPECT_EQ(numbers(window).front(), 20);
  EXPECT_EQ(window.stays_us(19), 84'000'000) << "the long one ended with it";
  add_segment(window, 30);
  window.slide(40'000'000);
  EXPECT_EQ(window.stays_us(20), 48'000'000);
}

TEST(LiveWindow, GapsInFrontGoFirst) {
  Window window = begun(0);
  window.fill_until(3);
  for (std::int64_t n = 3; n < 9; ++n) add_segment(window, n);
  window.slide(3'600'000'000);
  EXPECT_EQ(numbers(window), (Numbers{3, 4, 5, 6, 7, 8}));
}

TEST(LiveWindow, ARestartFindsWhatWasKeptWithGapsBetween) {
  std::vector<Segment> kept{{.number = 4, .parts = {part(0)}}, {.number = 7, .parts = {part(0)}}};
  Window window(grid(), 1000);
  window.restore(kept);
  EXPECT_EQ(numbers(window), (Numbers{4, -5, -6, 7}));
  EXPECT_EQ(window.next(), 8);
  EXPECT_EQ(window.bytes(), 200u);
}

TEST(LiveWindow, ClosesWithThePartsThatThereAreAtTheEnd) {
  Window window = begun(0);
  window.close_open();
  EXPECT_EQ(window.closing(), nullptr);
  window.add(0, part(0), false);
  window.close_open();
  ASSERT_NE(window.closing(), nullptr);
  window.settle(true);
  EXPECT_EQ(numbers(window), Numbers{0});
  EXPECT_EQ(window.show(true).segments[0].microseconds, 1'000'000);
}

TEST(LiveGrid, CountsSegmentsFromTheEpoch) {
  WallTime epoch{std::chrono::milliseconds(epoch_ms)};
  EXPECT_EQ(grid().segment_at(epoch), 0);
  EXPECT_EQ(grid().segment_at(epoch + std::chrono::milliseconds(3999)), 0);
  EXPECT_EQ(grid().segment_at(epoch + std::chrono::milliseconds(4000)), 1);
  EXPECT_EQ(grid().segment_at(epoch - std::chrono::milliseconds(1)), -1);
}

TEST(LiveSegment, ItsRecordReadsBack) {
  Segment segment{.number = 12, .parts = {part(0), part(1)}};
  std::string bytes = to_bytes(segment);
  auto read = segment_from_bytes(12, bytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(to_bytes(*read), bytes);
  EXPECT_EQ(read->number, 12);
  EXPECT_EQ(read->parts[1].digest, part(1).digest);
  EXPECT_EQ(read->ticks(), 2000);
  EXPECT_FALSE(segment_from_bytes(12, std::string_view(bytes).substr(0, bytes.size() - 1)));
  EXPECT_FALSE(segment_from_bytes(12, ""));
}

TEST(LivePart, IsThereOrComingOrNever) {
  Window window = begun(5);
  add_segment(window, 5);
  window.add(6, part(0), false);
  window.add(6, part(1), false);
  View view{.window = window.show(false)};
  view.next = media::next_of(view.window);
  view.recent = {window.segments()[0], *window.open()};
  PartPlace second = find_part(view, 6, 1);
  EXPECT_EQ(second.found, PartFound::there);
  EXPECT_EQ(second.offset, 100u);
  EXPECT_EQ(second.part.bytes, 101u);
  EXPECT_EQ(find_part(view, 5, 3).found, PartFound::there);
  EXPECT_EQ(find_part(view, 6, 2).found, PartFound::coming);
  for (auto [segment, part] : {std::pair{6, 3}, {7, 0}, {5, 4}, {4, 0}})
    EXPECT_EQ(find_part(view, segment, part).found, PartFound::never) << segment << "." << part;
  view.window.ended = true;
  EXPECT_EQ(find_part(view, 6, 2).found, PartFound::never);
  EXPECT_EQ(find_part(View{}, 0, 0).found, PartFound::never) << "nothing was hinted at";
}

}  // namespace
}  // namespace relay::origin::live
