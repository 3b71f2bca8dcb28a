#include "common/media/live.hpp"

#include <gtest/gtest.h>

#include "common/media/job.hpp"

namespace relay::media {
namespace {

struct GridCase {
  std::int64_t numerator, denominator;
  bool halving;
  std::int64_t group, segment, parts, target_s;
};

TEST(LiveGrid, GroupsAndSegmentsAreWholeFrames) {
  const GridCase cases[] = {
      {25, 1, false, 50, 100, 4, 4},       {50, 1, true, 100, 200, 4, 4},
      {30, 1, false, 60, 120, 4, 4},       {30000, 1001, false, 60, 120, 4, 5},
      {60000, 1001, true, 120, 240, 4, 5}, {24000, 1001, false, 48, 96, 4, 5},
      {15, 1, true, 30, 60, 5, 4},         {1, 1, false, 2, 4, 2, 4},
  };
  for (const GridCase& each : cases) {
    LiveSetup grid = live_grid({}, each.numerator, each.denominator, each.halving);
    SCOPED_TRACE(testing::Message() << each.numerator << "/" << each.denominator);
    EXPECT_EQ(grid.group_frames, each.group);
    EXPECT_EQ(grid.segment_frames, each.segment);
    EXPECT_EQ(grid.parts_per_group, each.parts);
    EXPECT_EQ(grid.target_duration_s(), each.target_s);
  }
}

TEST(LiveGrid, PartsFillSegmentsAndBeginGroups) {
  for (std::int64_t rate : {1, 24, 25, 30, 50, 60}) {
    LiveSetup grid = live_grid({}, rate, 1, false);
    SCOPED_TRACE(rate);
    EXPECT_EQ(grid.part_frame(0), 0);
    EXPECT_EQ(grid.part_frame(grid.parts_per_group), grid.group_frames);
    EXPECT_EQ(grid.part_frame(grid.parts_per_segment()), grid.segment_frames);
    for (std::int64_t part = 0; part < grid.parts_per_segment(); ++part) {
      std::int64_t frames = grid.part_frame(part + 1) - grid.part_frame(part);
      EXPECT_GT(frames, 0);
      EXPECT_LE(grid.microseconds_of(frames), grid.part_target_ms() * 1000);
      // 8216bis 4.4.4.9: no part but a segment's last is below 85 % of the target.
      if (rate > 1) EXPECT_GE(grid.microseconds_of(frames), grid.part_target_ms() * 850);
    }
  }
}

TEST(LiveGrid, ShortPartsAreAsManyAsMakesThemAlike) {
  for (std::int64_t rate : {24, 25, 30, 50, 60}) {
    for (std::int64_t part_ms : {200, 250, 333, 500, 1000}) {
      bool halving = rate > 30;
      LiveSetup grid = live_grid({.part_target_ms = part_ms, .group_ms = 1000}, rate, 1, halving);
      SCOPED_TRACE(testing::Message() << rate << " " << part_ms);
      for (std::int64_t part = 0; part < grid.parts_per_segment(); ++part) {
        std::int64_t us = grid.microseconds_of(grid.part_frame(part + 1) - grid.part_frame(part));
        EXPECT_LE(us, grid.part_target_ms() * 1000);
        EXPECT_GE(us, grid.part_target_ms() * 850);
      }
    }
  }
  EXPECT_EQ(live_grid({.part_target_ms = 250, .group_ms = 1000}, 25, 1, false).parts_per_group, 5);
}

TEST(LiveGrid, AFrameIsFoundByItsTimeOverYears) {
  LiveSetup grid = live_grid({}, 30000, 1001, false);
  for (std::int64_t frame : {0ll, 1ll, 59ll, 107892ll, 4'000'000'000ll}) {
    std::int64_t at = grid.microseconds_of(frame);
    EXPECT_EQ(grid.frame_at(at), frame);
    EXPECT_EQ(grid.frame_at(at - 1), frame - 1);
    EXPECT_EQ(grid.frame_at(at + 33'000), frame);
  }
}

LiveSetup sample_setup() {
  LiveSetup setup = live_grid({}, 50, 1, true);
  setup.renditions = {{"v720", true, 12800, 1280, 720, 4500, 1},
                      {"v234", true, 12800, 416, 234, 145, 2},
                      {"audio", false, 48000, 0, 0, 128, 1}};
  return setup;
}

TEST(LiveJson, AJobBringsItsChannelAndSetup) {
  Job job{.kind = JobKind::live, .tenant = "t", .asset = "a", .version = "v"};
  job.live.emplace();
  job.live->channel.epoch_ms = 1'700'000'000'123;
  job.live->channel.between = Between::slate;
  job.live->first_segment = 17;
  job.live->begun = {{"v720", 16, 3}, {"audio", 17, 0}};
  job.live->setup = sample_setup();
  auto read = job_from_json(to_json(job));
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_TRUE(read->live);
  EXPECT_EQ(read->live->channel.epoch_ms, 1'700'000'000'123);
  EXPECT_EQ(read->live->channel.between, Between::slate);
  EXPECT_EQ(read->live->first_segment, 17);
  ASSERT_EQ(read->live->begun.size(), 2u);
  EXPECT_EQ(read->live->begun[0].rendition, "v720");
  EXPECT_EQ(read->live->begun[0].segment, 16);
  EXPECT_EQ(read->live->begun[0].part, 3);
  ASSERT_TRUE(read->live->setup);
  EXPECT_EQ(to_json(*read->live->setup), to_json(sample_setup()));
}

TEST(LiveJson, OnlyALiveJobHasAChannel) {
  EXPECT_FALSE(job_from_json(R"({"kind":"live","tenant":"t","asset":"a","version":"v"})"));
  EXPECT_FALSE(job_from_json(
      R"({"kind":"video","tenant":"t","asset":"a","version":"v","live":{"channel":{}}})"));
}

TEST(LiveJson, ASetupThatCannotBeIsRefused) {
  std::string good = to_json(sample_setup());
  ASSERT_TRUE(live_setup_from_json(good));
  auto with = [&](std::string_view from, std::string_view to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    return live_setup_from_json(text);
  };
  EXPECT_FALSE(with("\"segment_frames\":200", "\"segment_frames\":150"));
  EXPECT_FALSE(with("\"rate_denominator\":1", "\"rate_denominator\":0"));
  EXPECT_FALSE(with("\"parts_per_group\":4", "\"parts_per_group\":101"));
  EXPECT_FALSE(with("\"name\":\"v720\"", "\"name\":\"\""));
  EXPECT_FALSE(live_setup_from_json(R"({"renditions":[]})"));
}

TEST(LiveJson, AStatusComesBack) {
  LiveStatus status;
  status.slots[1] = {
      SlotState::frozen, "the picture stands still", "h264 1280x720 25/1", "", 310, 2, 1};
  status.on_air = 1;
  status.switches = 3;
  status.shed = {"v720"};
  status.encode_delay_ms = 80;
  auto read = live_status_from_json(to_json(status));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(to_json(*read), to_json(status));
  EXPECT_EQ(read->slots[1].state, SlotState::frozen);
  EXPECT_FALSE(live_status_from_json(R"({"slots":[]})"));
}

}  // namespace
}  // namespace relay::media
