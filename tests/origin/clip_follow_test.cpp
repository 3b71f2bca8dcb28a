// Clips whose end is still being made, followed along a real catalog.
#include "origin/clip_growth.hpp"

#include <gtest/gtest.h>

#include <future>

#include "origin/clip_source.hpp"
#include "tests/origin/catalog_clips.hpp"
#include "tests/origin/channel_fixture.hpp"

namespace relay::origin {
namespace {

constexpr std::int64_t length_s = 4;

class ClipFollowTest : public CatalogClipTest {
 protected:
  std::string named(std::string_view folder, std::int64_t first, std::int64_t last, bool ended) {
    media::MediaPlaylist playlist{.target_duration_s = length_s, .media_sequence = first};
    for (std::int64_t number = first; number <= last; ++number)
      playlist.segments.push_back({fmt::format("{}{}.m4s", folder, number), length_s, 1});
    playlist.ended = ended;
    return media::write(playlist);
  }
  /// The channel can be played from now on, as a recording.
  void publish() {
    media::MultivariantPlaylist all;
    all.audios = {
        {.group_id = "audio", .name = "Main", .language = "und", .uri = "v1/audio/index.m3u8"}};
    all.variants = {{.uri = "v1/v360/index.m3u8",
                     .bandwidth = 9,
                     .average_bandwidth = 9,
                     .codecs = "avc1.64001f",
                     .width = 640,
                     .height = 360,
                     .audio_group = "audio"}};
    ASSERT_TRUE(catalog->set_multivariant(job(), {media::write(all)}, {{.name = "v360"}}));
    ASSERT_TRUE(catalog->set_playlist(job(), "v360", {named("", 1, 5, true), {}, true}));
  }
  /// What was given to the blocking pool before is done.
  void await_pool() {
    std::promise<void> done;
    net::asio::post(blocking.pool(), [&] { done.set_value(); });
    done.get_future().wait();
  }

  net::asio::io_context io{1};
  net::Blocking blocking{1};
  Metrics metrics;
  live::FakeKeeper keeper;
  live::NoDesk desk;
  live::Channels channels{blocking, keeper, desk, metrics, {}, {}};
};

TEST_F(ClipFollowTest, OneThatCannotGrowNowIsLookedAtAgain) {
  NewClip goal = clip("goal", "c1", 2, 3);
  goal.is_whole = false;
  goal.playlists["v360"] = named("../../../final/v1/v360/", 2, 3, false);
  auto made = catalog->make_clip(goal);
  ASSERT_TRUE(made) << made.error().message;
  std::optional<Asset> whole;
  ClipGrowth growth(*catalog, channels, blocking, io, [&](const Asset& clip) { whole = clip; });
  growth.follow(made->asset);
  io.poll();
  await_pool();
  EXPECT_FALSE(whole) << "nothing of its source can be played yet";
  publish();
  io.restart();
  io.run();
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->state, AssetState::ready);
  EXPECT_TRUE((*catalog->playlist("demo", "goal", "c1", "v360"))->ended);
}

TEST_F(ClipFollowTest, OneThatWasReplacedIsFollowedNoMore) {
  NewClip goal = clip("goal", "c1", 2, 3);
  goal.is_whole = false;
  auto made = catalog->make_clip(goal);
  ASSERT_TRUE(made) << made.error().message;
  ASSERT_TRUE(catalog->make_clip(clip("goal", "c2", 2, 3)));
  ClipGrowth growth(*catalog, channels, blocking, io, [](const Asset&) { FAIL(); });
  growth.follow(made->asset);
  io.run();
  EXPECT_EQ((*catalog->asset("demo", "goal"))->current_version, "c2");
}

TEST_F(ClipFollowTest, AChannelHasEndedOnceAllItsPlaylistsHave) {
  publish();
  channels.start(io);
  live::ChannelRecord open = live::record(wall_now() - std::chrono::minutes(1));
  open.job.live->setup = live::setup();
  channels.add(std::move(open), {});
  auto grows = [&] {
    return read_clip_source(*catalog, channels, "demo", "final")->source.growing;
  };
  auto end = [&](const char* name) {
    auto rendition = channels.find("demo", "final")->rendition(name);
    auto view = std::make_shared<live::View>(*rendition->view.load());
    view->window.ended = true;
    rendition->view.store(std::move(view));
  };
  EXPECT_TRUE(grows());
  end("v360");
  EXPECT_TRUE(grows()) << "what its sound has yet to show belongs to a clip";
  end("audio");
  EXPECT_FALSE(grows());
  channels.stop();
  io.run();
}

}  // namespace
}  // namespace relay::origin
