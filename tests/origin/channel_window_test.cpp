// What a restart of the origin shows of a channel's window.
#include "origin/records.hpp"
#include "tests/origin/channel_fixture.hpp"

namespace relay::origin::live {
namespace {

using namespace std::chrono_literals;

class ChannelWindowTest : public ChannelTest {
 protected:
  ChannelWindowTest() {
    settings.dvr = 30s;
    known = record(wall_now() - 1h);
    known.job.live->setup = setup();
  }
  /// The origin starts again. What left the window a while ago is still kept.
  void restart(ChannelRecord with) {
    channel->stop("the origin stops");
    std::map<std::string, std::vector<Segment>> kept;
    for (std::int64_t number = now - 100; number < now; ++number) {
      kept["v360"].push_back({.number = number, .parts = {{.bytes = 10, .ticks = 1000}}});
      kept["audio"].push_back({.number = number, .parts = {{.bytes = 1, .ticks = 48000}}});
    }
    channel = std::make_shared<Channel>(parts(), std::move(with));
    channel->start(std::move(kept));
  }
  std::int64_t first() { return view()->window.segments.front().number; }

  ChannelRecord known;
};

TEST_F(ChannelWindowTest, ALargerOneShowsNothingAgainThatHadLeftIt) {
  restart(known);
  std::int64_t before = first();
  EXPECT_GT(before, now - 40);
  while (keeper.saved.empty()) step();
  for (auto dvr : {60s, 60s, 90s}) {
    settings.dvr = dvr;
    restart(keeper.saved.back());
    EXPECT_GE(first(), before);
    EXPECT_LT(first(), now);
    before = first();
    std::size_t saved = keeper.saved.size();
    if (dvr != keeper.saved.back().window->dvr)
      while (keeper.saved.size() == saved) step();
  }
}

TEST_F(ChannelWindowTest, NorAfterItWasEnlargedWhileTheChannelWasOpen) {
  restart(known);
  ASSERT_TRUE(run(Channel::change(channel, {.rules = {.dvr = 90s}}, "")));
  std::int64_t before = first();
  EXPECT_GT(before, now - 40);
  restart(keeper.saved.back());
  EXPECT_GE(first(), before);
}

TEST_F(ChannelWindowTest, WhatItIsKeptByIsInTheRecord) {
  known.window = WindowMark{30s, 5'000'000'000, 17};
  auto read = channel_from_bytes(origin::to_bytes(known));
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_TRUE(read->window);
  EXPECT_EQ(read->window->dvr, 30s);
  EXPECT_EQ(read->window->dvr_size_max, 5'000'000'000u);
  EXPECT_EQ(read->window->first, 17);
  known.window.reset();
  EXPECT_FALSE(channel_from_bytes(origin::to_bytes(known))->window);
}

}  // namespace
}  // namespace relay::origin::live
