// A machine that is too slow for a channel's dearest rendition, made of any machine: the encoder's
// call stands in front of libavcodec's and takes as long as the test says.
#include <dlfcn.h>
#include <gmock/gmock.h>

#include "common/base/sanitizers.hpp"
#include "tests/transcoder/live_story.hpp"
#include "transcoder/av.hpp"

namespace {
std::atomic<int> slow_height = 0;  // of pictures that take longer
std::atomic<std::int64_t> slow_us = 0;
}  // namespace

extern "C" int avcodec_send_frame(AVCodecContext* context, const AVFrame* frame) {
  static auto* const real = reinterpret_cast<int (*)(AVCodecContext*, const AVFrame*)>(
      dlsym(RTLD_NEXT, "avcodec_send_frame"));
  std::mutex mutex;
  std::unique_lock lock(mutex);
  auto is_slow = [&] { return frame && frame->height == slow_height; };
  std::condition_variable().wait_for(lock, std::chrono::microseconds(slow_us),
                                     [&] { return !is_slow(); });
  return real(context, frame);
}

namespace relay::transcoder::live {
namespace {

std::int64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::int64_t pages = 0, resident = 0;
  file >> pages >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

class LiveOverload : public LiveStory {
 protected:
  ~LiveOverload() override { slow_height = 0; }

  /// Watches the channel until `reached`: how late it was, and what it held.
  void watch(const ChannelRun& run, const std::function<bool(const media::LiveStatus&)>& reached) {
    ASSERT_TRUE(eventually(
        [&] {
          media::LiveStatus status = run.status();
          worst_delay_ms_ = std::max(worst_delay_ms_, status.encode_delay_ms);
          most_bytes_ = std::max(most_bytes_, resident_bytes());
          return reached(status);
        },
        patience));
  }

  std::int64_t worst_delay_ms_ = 0, most_bytes_ = 0;
};

TEST_F(LiveOverload, TheDearestRenditionLeavesWithASegmentAndComesBackWithOne) {
  // All small: what is slow here is to be what the test makes slow.
  settings.encoding.ladder = {
      {160, 90, 100, false}, {320, 180, 200, false}, {640, 360, 400, false}};
  settings.live.rungs_max = 3;
  settings.live.workers = 2;
  ChannelRun run(settings, live);
  auto player = run.play(moving(90));
  ASSERT_TRUE(eventually([&] { return run.count("v360") >= 8; }, patience));
  std::string cheapest = run.setup().renditions[2].name;
  std::int64_t bytes = resident_bytes();

  slow_us = 400'000;  // ten pictures' time
  slow_height = 360;
  watch(run, [](const media::LiveStatus& status) { return !status.shed.empty(); });
  EXPECT_THAT(run.status().shed, testing::ElementsAre("v360"));
  constexpr std::int64_t held_max = 16 << 20;  // without a bound 26 MB of pictures
  if (!sanitized) EXPECT_LT(most_bytes_ - bytes, held_max);
  slow_height = 0;  // what waits still, comes out
  std::size_t others = run.count(cheapest);
  watch(run, [&](auto&) { return run.count(cheapest) > others + 8; });
  std::size_t dearest = run.count("v360");
  watch(run, [&](auto&) { return run.count(cheapest) > others + 16; });
  EXPECT_EQ(run.count("v360"), dearest);
  watch(run, [](const media::LiveStatus& status) { return status.shed.empty(); });
  dearest = run.count("v360");
  watch(run, [&](auto&) { return run.count("v360") > dearest + 8; });
  player->stop();
  run.finish();

  EXPECT_EQ(flaw_of(run), "") << "it leaves at a segment's end and comes back at a begin";
  EXPECT_GT(segments_missing(run, "v360"), 5);
  for (const std::string& name : {cheapest, std::string("audio")})
    EXPECT_EQ(segments_missing(run, name), 0) << name;
  // Bound and patience, up to a status and a segment's end.
  EXPECT_LT(worst_delay_ms_, 8000);
  EXPECT_GT(worst_delay_ms_, 500);
}

}  // namespace
}  // namespace relay::transcoder::live
