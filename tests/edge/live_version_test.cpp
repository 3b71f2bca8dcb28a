#include "edge/live_version.hpp"

#include <gtest/gtest.h>

#include "common/http/gzip.hpp"
#include "common/media/live_playlist.hpp"

namespace relay::edge {
namespace {

using Version = std::shared_ptr<const LiveVersion>;
using namespace std::chrono_literals;

const SteadyTime came{100s};

media::LiveWindow window(std::int64_t first, std::int64_t segments, std::int64_t open_parts) {
  media::LiveWindow window;
  for (std::int64_t i = 0; i < segments; ++i)
    window.segments.push_back({.number = first + i,
                               .microseconds = 4'000'000,
                               .date_us = (first + i) * 4'000'000,
                               .parts = std::vector<media::LivePart>(8, {500'000, true})});
  if (open_parts == 0) return window;
  auto parts = std::vector<media::LivePart>(static_cast<std::size_t>(open_parts), {500'000, true});
  window.segments.push_back(
      {.number = first + segments, .complete = false, .parts = std::move(parts)});
  return window;
}

Version version_of(const media::LiveWindow& window) {
  http::Headers head{{"Content-Type", "application/vnd.apple.mpegurl"},
                     {"ETag", "\"1\""},
                     {"Content-Length", "7"},
                     {"Access-Control-Allow-Origin", "*"}};
  auto version = LiveVersion::make({head, 5, came}, write(window));
  EXPECT_TRUE(version);
  return version ? *version : nullptr;
}

TEST(LiveVersion, EveryFormSaysTheSame) {
  Version version = version_of(window(10, 40, 3));
  const std::string& whole = version->body({});
  const std::string& delta = version->body({.delta = true});
  EXPECT_LT(delta.size(), whole.size());
  EXPECT_NE(delta.find("#EXT-X-SKIP"), delta.npos);
  EXPECT_EQ(http::gunzip(version->body({.gzip = true}), 1 << 20), whole);
  EXPECT_EQ(http::gunzip(version->body({.delta = true, .gzip = true}), 1 << 20), delta);
  EXPECT_EQ(&version->body({.delta = true}), &delta) << "made once";
  EXPECT_EQ(version_of(window(10, 3, 0))->body({.delta = true}),
            version_of(window(10, 3, 0))->body({}));
}

TEST(LiveVersion, FieldsOfOneFormStayBehind) {
  Version version = version_of(window(1, 4, 0));
  EXPECT_TRUE(version->fields().find("Content-Type"));
  EXPECT_TRUE(version->fields().find("Access-Control-Allow-Origin"));
  EXPECT_FALSE(version->fields().find("ETag"));
  EXPECT_FALSE(version->fields().find("Content-Length"));
}

TEST(LiveVersion, OnesThatTakeSomethingBackAreBehind) {
  Version now = version_of(window(10, 6, 3));
  EXPECT_TRUE(version_of(window(10, 6, 2))->is_behind(*now));
  EXPECT_TRUE(version_of(window(10, 5, 7))->is_behind(*now));
  EXPECT_TRUE(version_of(window(9, 7, 4))->is_behind(*now)) << "segments that had left are back";
  EXPECT_FALSE(version_of(window(10, 6, 3))->is_behind(*now));
  EXPECT_FALSE(version_of(window(11, 6, 0))->is_behind(*now));
  media::LiveWindow ended = window(10, 6, 0);
  ended.ended = true;
  EXPECT_TRUE(version_of(window(10, 6, 0))->is_behind(*version_of(ended)));
  media::LiveWindow shorter = window(10, 4, 0);  // without the gaps at its end
  shorter.ended = true;
  EXPECT_FALSE(version_of(shorter)->is_behind(*now));
  EXPECT_TRUE(now->is_behind(*version_of(shorter)));
}

TEST(LiveVersion, GoesOnByADeltaUpdateUnderTheNewAnswersFields) {
  Version now = version_of(window(10, 40, 3)), next = version_of(window(11, 40, 1));
  LiveVersion::Arrival arrival{{{"Cache-Tag", "demo"}, {"X-Seen", "later"}}, 9, came + 1s};
  Version made = now->with(arrival, next->body({.delta = true}));
  ASSERT_TRUE(made);
  EXPECT_EQ(made->body({}), next->body({}));
  EXPECT_EQ(made->body({.delta = true}), next->body({.delta = true}));
  EXPECT_EQ(made->outline().next(), next->outline().next());
  EXPECT_EQ(made->purge_sequence(), 9u);
  EXPECT_EQ(made->fields().find("X-Seen"), "later");
  EXPECT_EQ(now->with(arrival, version_of(window(500, 40, 1))->body({.delta = true})), nullptr);
}

/// CAN-SKIP-UNTIL is 24 s.
TEST(LiveVersion, TakesDeltasForHalfOfItsSkipBoundary) {
  Version version = version_of(window(10, 40, 3));
  EXPECT_TRUE(version->takes_deltas(came));
  EXPECT_TRUE(version->takes_deltas(came + 12s));
  EXPECT_FALSE(version->takes_deltas(came + 12s + 1ms));
  auto without = LiveVersion::make({{}, 0, came}, "#EXTM3U\n#EXT-X-TARGETDURATION:4\n");
  ASSERT_TRUE(without);
  EXPECT_FALSE((*without)->takes_deltas(came)) << "upstream does not offer them";
}

TEST(LiveVersion, WhatIsNoPlaylistIsRefused) {
  EXPECT_FALSE(LiveVersion::make({}, "<html>"));
}

}  // namespace
}  // namespace relay::edge
