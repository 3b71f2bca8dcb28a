// What playlists name, and what follows from their next versions.
#include "edge/hls/playlists.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace relay::edge::hls {
namespace {

std::string segment(std::int64_t number) {
  return "/a/" + std::to_string(number) + ".m4s";
}

/// Names `first` to `last`, by their numbers.
Timeline window(std::int64_t first, std::int64_t last) {
  Timeline timeline;
  timeline.first = first;
  for (std::int64_t number = first; number <= last; ++number) {
    timeline.segments.push_back(segment(number));
  }
  timeline.lasting = {"/a/init.mp4"};
  return timeline;
}

std::vector<std::string> segments(std::int64_t first, std::int64_t last) {
  return window(first, last).segments;
}

TEST(Timeline, NamesWhatIsNextAndNothingPastItsEnd) {
  Timeline timeline = window(7, 9);
  timeline.segments[1].clear();  // a gap
  EXPECT_EQ(timeline.at(7), segment(7));
  EXPECT_EQ(timeline.at(9), segment(9));
  for (std::int64_t none : {-1, 0, 6, 8, 10, 1000}) EXPECT_EQ(timeline.at(none), "") << none;
}

TEST(Timeline, AWindowThatMovedOnLeavesItsFirstSegments) {
  EXPECT_EQ(left_window(window(3, 8), window(5, 10)), (std::vector<std::int64_t>{3, 4}));
  EXPECT_EQ(left_window(window(3, 5), window(100, 103)), (std::vector<std::int64_t>{3, 4, 5}));
}

TEST(Timeline, NothingIsOverWhereThePlaylistDoesNotSaySo) {
  std::vector<std::int64_t> none;
  EXPECT_EQ(left_window(window(3, 8), window(3, 9)), none);
  EXPECT_EQ(left_window(window(5, 10), window(3, 8)), none) << "it went back";
  EXPECT_EQ(left_window(window(500, 505), window(0, 2)), none) << "it began anew";
  Timeline ended = window(5, 10), growing = window(5, 10);
  ended.ended = true;
  growing.only_grows = true;
  EXPECT_EQ(left_window(window(3, 8), ended), none);
  EXPECT_EQ(left_window(window(3, 8), growing), none);
}

TEST(Timeline, WhatIsStillNamedIsNotOver) {
  Timeline renumbered = window(3, 8);
  renumbered.first = 5;  // a discontinuity changed the numbers, not the segments
  EXPECT_EQ(left_window(window(3, 8), renumbered), std::vector<std::int64_t>{});
  renumbered.segments.erase(renumbered.segments.begin());
  EXPECT_EQ(left_window(window(3, 8), renumbered), std::vector<std::int64_t>{3});
}

TEST(Playlists, FindsASegmentsPlaceInTheNewestVersion) {
  Playlists playlists;
  EXPECT_FALSE(playlists.knows("/a/index.m3u8"));
  playlists.learn("/a/index.m3u8", 1, window(3, 5));
  EXPECT_TRUE(playlists.knows("/a/index.m3u8"));
  EXPECT_EQ(playlists.find(segment(4))->sequence, 4);
  EXPECT_FALSE(playlists.find(segment(6)));
  EXPECT_FALSE(playlists.find("/a/init.mp4"));
  EXPECT_FALSE(playlists.find("/a/index.m3u8"));
  EXPECT_TRUE(playlists.is_lasting("/a/init.mp4"));
  EXPECT_FALSE(playlists.is_lasting(segment(4)));
  playlists.learn("/a/index.m3u8", 2, window(4, 6));
  auto place = playlists.find(segment(5));
  ASSERT_TRUE(place);
  EXPECT_EQ(place->rendition->newest.load()->at(place->sequence + 1), segment(6));
  EXPECT_FALSE(playlists.find(segment(3)));
}

TEST(Playlists, KeysOfAHostStandApart) {
  Playlists playlists;
  Timeline timeline = window(1, 2);
  timeline.key_front = "host";
  playlists.learn("host/a/index.m3u8", 1, timeline);
  EXPECT_TRUE(playlists.find("host" + segment(1)));
  EXPECT_FALSE(playlists.find(segment(1)));
}

TEST(Playlists, TellsWhatIsOverAndWhatIsToStay) {
  Playlists playlists;
  auto first = playlists.learn("/p", 1, window(1, 4));
  EXPECT_EQ(first.left, std::vector<std::string>{});
  EXPECT_EQ(first.lasting, std::vector<std::string>{"/a/init.mp4"});
  auto next = playlists.learn("/p", 2, window(3, 6));
  EXPECT_EQ(next.left, segments(1, 2));
  EXPECT_EQ(next.lasting, std::vector<std::string>{}) << "known already";
}

TEST(Playlists, WhatAPlaylistThatWentBackNamesAgainIsNotOver) {
  Playlists playlists;
  playlists.learn("/p", 1, window(1, 4));
  EXPECT_EQ(playlists.learn("/p", 2, window(3, 6)).returned, std::vector<std::string>{});
  auto back = playlists.learn("/p", 3, window(1, 4));
  EXPECT_EQ(back.returned, segments(1, 2));
  EXPECT_EQ(back.left, std::vector<std::string>{});
  EXPECT_EQ(playlists.learn("/p", 4, window(2, 5)).left, segments(1, 1));
}

TEST(Playlists, AnOlderVersionThatComesLateIsIgnored) {
  Playlists playlists;
  playlists.learn("/p", 5, window(3, 6));
  EXPECT_EQ(playlists.learn("/p", 4, window(9, 12)).left, std::vector<std::string>{});
  EXPECT_TRUE(playlists.find(segment(6)));
  EXPECT_FALSE(playlists.find(segment(9)));
}

TEST(Playlists, WhatAnotherPlaylistNamesIsNotOver) {
  Playlists playlists;
  playlists.learn("/live", 1, window(1, 4));
  Timeline recording = window(2, 3);
  recording.ended = true;
  playlists.learn("/recording", 2, recording);
  EXPECT_EQ(playlists.learn("/live", 3, window(4, 7)).left, segments(1, 1));
  EXPECT_EQ(playlists.find(segment(3))->sequence, 3);
}

TEST(Playlists, ARenumberedSegmentIsFoundAtItsNewPlace) {
  Playlists playlists;
  playlists.learn("/p", 1, window(1, 4));
  Timeline renumbered = window(2, 4);
  renumbered.first = 90;
  playlists.learn("/p", 2, renumbered);
  EXPECT_EQ(playlists.find(segment(3))->sequence, 91);
}

TEST(Playlists, TheOnesLongestUnseenAreForgotten) {
  Playlists playlists;
  auto key = [](std::size_t i) { return "/p" + std::to_string(i); };
  auto timeline = [&](std::size_t i) {
    Timeline one;
    one.segments = {key(i) + "/0.ts"};
    return one;
  };
  std::size_t more = Playlists::playlists_max + 3;
  for (std::size_t i = 0; i < more; ++i) {
    playlists.learn(key(i), playlists.next_number(), timeline(i));
    EXPECT_TRUE(playlists.find(key(0) + "/0.ts")) << "it is read all the time";
  }
  std::size_t known = 0;
  for (std::size_t i = 0; i < more; ++i) {
    bool named = playlists.find(key(i) + "/0.ts").has_value();
    EXPECT_EQ(playlists.knows(key(i)), named);
    known += named;
  }
  EXPECT_EQ(known, Playlists::playlists_max);
  EXPECT_FALSE(playlists.knows(key(1)));
}

TEST(Playlists, NamesAreBoundedAndOnesFetchedAheadAreCountedWhenForgotten) {
  Playlists playlists;
  auto named = [](std::string folder, std::size_t count) {
    Timeline timeline;
    for (std::size_t i = 0; i < count; ++i) {
      timeline.segments.push_back(folder + std::to_string(i));
    }
    return timeline;
  };
  playlists.learn("/first", 1, named("/first/", Playlists::names_max));
  playlists.find("/first/7")->rendition->readers.expect(7);
  EXPECT_EQ(playlists.learn("/second", 2, named("/second/", 1)).unread, 1u);
  EXPECT_FALSE(playlists.find("/first/7"));
  EXPECT_TRUE(playlists.find("/second/0"));
  playlists.learn("/third", 3, named("/third/", Playlists::names_max + 1));
  EXPECT_TRUE(playlists.knows("/third")) << "so that it is not read again";
  EXPECT_FALSE(playlists.find("/third/0"));
  EXPECT_TRUE(playlists.find("/second/0"));
}

TEST(Playlists, ASegmentFetchedAheadThatLeavesTheWindowIsUnread) {
  Playlists playlists;
  playlists.learn("/p", 1, window(1, 4));
  playlists.find(segment(1))->rendition->readers.expect(2);
  EXPECT_EQ(playlists.learn("/p", 2, window(3, 6)).unread, 1u);
}

TEST(Playlists, ReadersFindWholeVersionsWhileNewOnesAreLearnt) {
  constexpr std::int64_t versions = 300, length = 8;
  Playlists playlists;
  playlists.learn("/p", playlists.next_number(), window(0, length));
  std::atomic<bool> over = false;
  std::atomic<int> wrong = 0;
  auto read = [&] {
    for (std::int64_t number = 0; !over; number = (number + 1) % (versions + length)) {
      auto place = playlists.find(segment(number));
      if (!place) continue;
      place->rendition->readers.read(place->sequence, 1);
      auto timeline = place->rendition->newest.load();  // kept as long as its names are looked at
      std::string_view named = timeline->at(place->sequence);
      if (place->sequence != number || (!named.empty() && named != segment(number))) ++wrong;
    }
  };
  std::thread one(read), other(read);
  for (std::int64_t first = 1; first < versions; ++first) {
    auto learnt = playlists.learn("/p", playlists.next_number(), window(first, first + length));
    EXPECT_EQ(learnt.left, segments(first - 1, first - 1));
  }
  over = true;
  one.join();
  other.join();
  EXPECT_EQ(wrong, 0);
}

TEST(Readers, InSequenceIsWhoReadTheOneBefore) {
  Readers readers;
  EXPECT_FALSE(readers.read(0, 100));
  EXPECT_TRUE(readers.read(1, 101));
  EXPECT_FALSE(readers.read(5, 102));
  EXPECT_FALSE(readers.read(3, 103));
  EXPECT_FALSE(readers.read(3, 103)) << "the same again";
  EXPECT_TRUE(readers.read(4, 104));
  EXPECT_TRUE(readers.read(5, 104 + Readers::lately_s));
  EXPECT_FALSE(readers.read(6, 200 + 2 * Readers::lately_s));
  EXPECT_FALSE(readers.read(Readers::slots + 2, 104)) << "1's slot is not 1 + slots'";
}

TEST(Readers, OneOfManyLooksAfterTheNext) {
  Readers readers;
  EXPECT_TRUE(readers.claim(4, 100));
  EXPECT_FALSE(readers.claim(4, 100 + Readers::settled_s));
  EXPECT_TRUE(readers.claim(4, 101 + Readers::settled_s));
  EXPECT_TRUE(readers.claim(5, 100));
}

TEST(Readers, WhatIsExpectedIsMetOnce) {
  Readers readers;
  EXPECT_FALSE(readers.expect(9));
  EXPECT_FALSE(readers.meet(8));
  EXPECT_FALSE(readers.meet(9 + Readers::slots));
  EXPECT_EQ(readers.expected(), 1u);
  EXPECT_TRUE(readers.meet(9));
  EXPECT_FALSE(readers.meet(9));
  EXPECT_FALSE(readers.expect(9));
  EXPECT_TRUE(readers.expect(9 + Readers::slots)) << "9 lost its place";
}

}  // namespace
}  // namespace relay::edge::hls
