#include "edge/live_settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace relay::edge {
namespace {

using testing::HasSubstr;

std::string refusal(std::string_view text) {
  auto both = with_fleet_settings({}, text);
  return both ? "accepted" : both.error().message;
}

TEST(LiveSettings, what_the_fleet_says_goes_before_what_the_file_says) {
  LiveSettings own;
  own.stale_on_error = std::chrono::minutes(1);
  own.prefetch_segments = 3;
  own.log_level = "warn";
  auto both = with_fleet_settings(
      own, "cache.stale_on_error = \"2h\"\n[log]\nlevel = \"debug\"\n[fleet]\nhandover = \"1h\"\n");
  ASSERT_TRUE(both) << both.error().message;
  LiveSettings wanted = own;
  wanted.stale_on_error = std::chrono::hours(2);
  wanted.log_level = "debug";
  wanted.handover = std::chrono::hours(1);
  EXPECT_EQ(*both, wanted);
  EXPECT_EQ(with_fleet_settings(own, ""), own);
}

TEST(LiveSettings, a_fleet_can_say_only_what_a_running_edge_takes_on) {
  EXPECT_THAT(refusal("\ncache.size = \"1GiB\"\n"),
              testing::AllOf(
                  HasSubstr("the fleet's settings:2:7: unknown key cache.size"),
                  HasSubstr("(for a whole fleet: log.level, log.format, cache.stale_on_error,")));
  EXPECT_THAT(refusal("fleet.spread = \"title\"\n"), HasSubstr("1:7: unknown key fleet.spread"));
  EXPECT_THAT(refusal("cache.prefetch = 99\n"), HasSubstr("1:18: cache.prefetch is 99"));
  EXPECT_THAT(refusal("log.level = \"loud\"\n"), HasSubstr("1:13: log.level is \"loud\"; allowed"));
  EXPECT_THAT(refusal("[cache\n"), HasSubstr("the fleet's settings:1:"));
  EXPECT_THAT(refusal({"\0\xff", 2}), HasSubstr("the fleet's settings:1:"));
  EXPECT_EQ(refusal(std::string(fleet_settings_bytes_max, '\n')), "accepted");
  EXPECT_THAT(refusal(std::string(fleet_settings_bytes_max + 1, '\n')), HasSubstr("larger than"));
}

TEST(LiveSettings, the_list_tells_values_and_who_says_them) {
  LiveSettings own;
  own.prefetch_segments = 3;
  auto all = list(own, "cache.stale_on_error = \"2h\"\n");
  EXPECT_EQ(all.size(), document_settings<LiveSettings>(describe_live).size());
  auto of = [&](std::string_view key) { return *std::ranges::find(all, key, &LiveSetting::key); };
  EXPECT_EQ(of("cache.stale_on_error").value, "2h");
  EXPECT_TRUE(of("cache.stale_on_error").from_fleet);
  EXPECT_EQ(of("cache.prefetch").value, "3");
  EXPECT_FALSE(of("cache.prefetch").from_fleet);
  for (const LiveSetting& each : list(own, "")) EXPECT_FALSE(each.from_fleet) << each.key;
}

TEST(LiveSettings, requests_read_what_was_taken_on_last) {
  LiveSettings next;
  LiveValues values(next);
  next.stale_on_error = std::chrono::seconds(7);
  next.prefetch_segments = 4;
  values.take_on(next);
  EXPECT_EQ(values.stale_on_error(), std::chrono::seconds(7));
  EXPECT_EQ(values.prefetch_segments(), 4);
}

}  // namespace
}  // namespace relay::edge
