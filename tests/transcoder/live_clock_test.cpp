// The whole way from a feed to parts by a clock of the test's own, so that a machine which is far
// too slow for real time, or runs under a sanitizer, has the time that it needs.
#include "tests/transcoder/live_story.hpp"

namespace relay::transcoder::live {
namespace {

#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr double pace = 0.25;
#else
constexpr double pace = 2;
#endif

TEST_F(LiveStory, BothSlotsFailOverAndTheClockGoesOnAtAnotherPace) {
  live.channel.between = media::Between::slate;
  auto small = [&](const char* picture) {
    return flv(std::string("-f lavfi -i ") + picture +
               "=s=160x90:r=25:d=4 -f lavfi -i sine=440:r=48000:d=4 -c:v libx264 -preset ultrafast "
               "-pix_fmt yuv420p -g 12 -c:a aac");
  };
  auto first = small("testsrc2"), second = small("testsrc");
  ChannelRun run(settings, live, pace);
  auto primary = run.play(first);
  auto backup = run.play(second, media::FeedSlot::backup);
  ASSERT_TRUE(eventually(
      [&] {
        media::LiveStatus status = run.status();
        return status.on_air == 0 && status.slots[1].state == media::SlotState::ready;
      },
      patience));
  primary->stop();
  ASSERT_TRUE(eventually([&] { return run.status().on_air == 1; }, patience));
  ASSERT_TRUE(eventually([&] { return backup->done(); }, patience));
  ASSERT_TRUE(eventually([&] { return run.status().on_air == -1; }, patience));
  std::string rendition = run.setup().renditions.front().name;
  std::size_t had = run.count(rendition);
  ASSERT_TRUE(eventually([&] { return run.count(rendition) > had + 4; }, patience));
  auto result = run.finish();
  ASSERT_TRUE(result && *result) << (*result).error().message;
  EXPECT_EQ(flaw_of(run), "");
  for (const media::LiveRendition& each : run.setup().renditions)
    EXPECT_EQ(segments_missing(run, each.name), 0) << each.name;
}

}  // namespace
}  // namespace relay::transcoder::live
