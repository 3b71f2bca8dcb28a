#include "origin/clip/clip.hpp"

#include <gtest/gtest.h>

namespace relay::origin::clip {
namespace {

constexpr std::int64_t second = 1'000'000;

SourceRendition rendition(std::string name, std::int64_t first, std::vector<double> seconds,
                          bool video = true) {
  SourceRendition made{std::move(name), video, {}};
  for (double each : seconds)
    made.segments.push_back({first++, static_cast<std::int64_t>(each * 1e6)});
  return made;
}

/// Segments of 1, 2, 2 and 6 s, as a video's are.
Source video() {
  Source source{"final", "v1", std::nullopt, false, 6, {}};
  source.renditions = {rendition("v720", 0, {1, 2, 2, 6}), rendition("v360", 0, {1, 2, 2, 6}),
                       rendition("audio", 0, {1.003, 1.984, 2.005, 6.02}, false)};
  return source;
}

/// Segments 100 to 104 of 4 s; the wall clock at the first one's begin is 1000 s.
Source channel() {
  Source source{"live", "v1", 1000 * second, true, 4, {}};
  source.renditions = {rendition("v720", 100, {4, 4, 4, 4, 4}),
                       rendition("audio", 100, {4, 4, 4, 4, 4}, false)};
  return source;
}

Moment at(double seconds) {
  return {false, static_cast<std::int64_t>(seconds * 1e6)};
}
Moment on(double seconds) {
  return {true, static_cast<std::int64_t>(seconds * 1e6)};
}

struct Asked {
  double start, end;
  std::size_t first, past;
};

TEST(Clip, TheSegmentsThatCoverTheTimeAreChosenInEveryRendition) {
  for (Asked asked :
       {Asked{0, 1, 0, 1}, Asked{0.5, 0.9, 0, 1}, Asked{0.5, 1.1, 0, 2}, Asked{1, 3, 1, 2},
        Asked{2.9, 5.1, 1, 4}, Asked{5, 11, 3, 4}, Asked{0, 11, 0, 4}, Asked{0, 11.05, 0, 4}}) {
    auto choice = choose(video(), {at(asked.start), at(asked.end)});
    ASSERT_TRUE(choice) << choice.error().message;
    ASSERT_EQ(choice->cuts.size(), 3u);
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(choice->cuts[i].rendition, i);
      EXPECT_EQ(choice->cuts[i].begin, asked.first) << asked.start << " to " << asked.end;
      EXPECT_EQ(choice->cuts[i].end, asked.past) << asked.start << " to " << asked.end;
    }
  }
}

TEST(Clip, TheTimesOfItsSegmentsEncloseWhatWasAskedFor) {
  auto choice = choose(video(), {at(1.5), at(4)});
  ASSERT_TRUE(choice);
  EXPECT_EQ(choice->start_us, 1.5 * second);
  EXPECT_EQ(choice->end_us, 4 * second);
  EXPECT_EQ(choice->begin_us, 1 * second);
  EXPECT_EQ(choice->finish_us, 5 * second);
  EXPECT_FALSE(choice->date_us);
}

TEST(Clip, WithoutTimesItIsEverything) {
  auto choice = choose(channel(), {});
  ASSERT_TRUE(choice);
  EXPECT_EQ(choice->cuts[0].end, 5u);
  EXPECT_EQ(choice->end_us, 20 * second);
  EXPECT_EQ(choice->date_us, 1000 * second);
}

TEST(Clip, WithoutTimesOfAClipItIsWhatThatWasAskedToBe) {
  Source source = video();
  source.meant_from_us = 500'000;
  source.meant_to_us = 4 * second;
  auto all = choose(source, {});
  ASSERT_TRUE(all);
  EXPECT_EQ(all->start_us, 0.5 * second);
  EXPECT_EQ(all->end_us, 4 * second);
  EXPECT_EQ(all->cuts[0].end, 3u);
  auto more = choose(source, {at(0), at(11)});
  ASSERT_TRUE(more) << "what it plays is there to be asked for";
  EXPECT_EQ(more->start_us, 0);
  EXPECT_EQ(more->end_us, 11 * second);
}

TEST(Clip, DatesAreOfTheWallClock) {
  auto choice = choose(channel(), {on(1005), on(1012)});
  ASSERT_TRUE(choice);
  EXPECT_EQ(choice->cuts[1].begin, 1u);
  EXPECT_EQ(choice->cuts[1].end, 3u);
  EXPECT_EQ(choice->date_us, 1004 * second);
  auto undated = choose(video(), {on(1005), on(1012)});
  ASSERT_FALSE(undated);
  EXPECT_EQ(undated.error().message, "'final' has no dates: give seconds from its beginning");
}

TEST(Clip, RenditionsThatAreNotEquallyFarAreCutToWhatAllHave) {
  Source source = channel();
  source.renditions[0].segments.erase(source.renditions[0].segments.begin());
  source.date_us = 1004 * second;
  source.renditions[1].segments.pop_back();
  auto choice = choose(source, {});
  ASSERT_TRUE(choice);
  EXPECT_EQ(choice->end_us, 12 * second);
  EXPECT_EQ(choice->date_us, 1004 * second);
  EXPECT_EQ(choice->cuts[0].begin, 0u);
  EXPECT_EQ(choice->cuts[1].begin, 1u) << "101 is the second one there";
  EXPECT_EQ(choice->cuts[1].end, 4u);
  source.renditions[0].segments.erase(source.renditions[0].segments.begin(),
                                      source.renditions[0].segments.end() - 1);
  EXPECT_FALSE(choose(source, {})) << "nothing in common";
}

TEST(Clip, ATimeOutsideIsRefusedAndTheMessageSaysWhatIsThere) {
  auto late = choose(video(), {at(2), at(11.2)});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind, ErrorKind::invalid);
  EXPECT_EQ(late.error().message, "end is 11.200 s, and of 'final' there is 0.000 s to 11.000 s");
  EXPECT_FALSE(choose(video(), {at(11), at(11.15)}));
  auto early = choose(channel(), {on(999), on(1002)});
  ASSERT_FALSE(early);
  EXPECT_EQ(early.error().kind, ErrorKind::invalid) << "it will not come back";
  EXPECT_EQ(early.error().message,
            "start is 1970-01-01T00:16:39.000Z, and of 'live' there is 1970-01-01T00:16:40.000Z to "
            "1970-01-01T00:17:00.000Z");
}

TEST(Clip, WhatMayComeCanBeAskedForAgain) {
  for (const Wish& wish : {Wish{on(1005), on(1021)}, Wish{on(1021), on(1030)}}) {
    auto choice = choose(channel(), wish);
    ASSERT_FALSE(choice);
    EXPECT_EQ(choice.error().kind, ErrorKind::conflict);
    EXPECT_TRUE(choice.error().retry);
  }
  Source ended = channel();
  ended.growing = false;
  EXPECT_EQ(choose(ended, {on(1005), on(1021)}).error().kind, ErrorKind::invalid);
  Source empty = channel();
  empty.renditions[1].segments.clear();
  EXPECT_TRUE(choose(empty, {}).error().retry);
}

TEST(Clip, ItLastsAtLeastAMomentAndAtMostADay) {
  EXPECT_EQ(choose(video(), {at(3), at(3)}).error().message,
            "end must be later than start: start is 3.000 s, end is 3.000 s");
  EXPECT_EQ(choose(video(), {at(3), at(2)}).error().message,
            "end must be later than start: start is 3.000 s, end is 2.000 s");
  EXPECT_EQ(choose(video(), {at(12), {}}).error().message,
            "end must be later than start: start is 12.000 s, end is 11.000 s");
  EXPECT_EQ(choose(channel(), {on(1012), on(1005)}).error().message,
            "end must be later than start: start is 1970-01-01T00:16:52.000Z, end is "
            "1970-01-01T00:16:45.000Z");
  EXPECT_EQ(choose(video(), {at(3), at(3.05)}).error().message,
            "a clip lasts from 0.1 s to 86400 s, and this one would last 0.050 s");
  EXPECT_FALSE(choose(channel(), {on(1000), on(1000 + 86401)}));
  // Within the slack, but of what is there nothing, or less than a moment.
  EXPECT_FALSE(choose(channel(), {on(999.9), on(1000)}));
  EXPECT_FALSE(choose(channel(), {on(999.9), on(1000.05)}));
}

TEST(Clip, AGapInAllIsAnErrorUnlessItIsWanted) {
  Source source = channel();
  for (SourceRendition& each : source.renditions) each.segments[2].gap = true;
  auto refused = choose(source, {on(1005), on(1010)});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::invalid);
  EXPECT_NE(refused.error().message.find("has gaps"), std::string::npos);
  EXPECT_TRUE(choose(source, {on(1000), on(1008)})) << "before the gap";
  EXPECT_TRUE(choose(source, {on(1005), on(1010), true}));
  EXPECT_FALSE(choose(source, {on(1009), on(1010), true})) << "nothing but the gap";
}

TEST(Clip, ARungThatWasShedIsLeftOut) {
  Source source = channel();
  source.renditions.insert(source.renditions.begin() + 1, rendition("v360", 100, {4, 4, 4, 4, 4}));
  source.renditions[0].segments[1].gap = true;
  auto choice = choose(source, {on(1000), on(1008)});
  ASSERT_TRUE(choice) << choice.error().message;
  ASSERT_EQ(choice->cuts.size(), 2u);
  EXPECT_EQ(choice->cuts[0].rendition, 1u);
  EXPECT_EQ(choice->cuts[1].rendition, 2u);
  source.renditions[2].segments[1].gap = true;
  EXPECT_FALSE(choose(source, {on(1000), on(1008)})) << "the sound has a gap";
}

}  // namespace
}  // namespace relay::origin::clip
