// A channel whose origin is killed in the midst of a segment and starts again over the same files.
#include "origin/live/half_done_file.hpp"
#include "tests/origin/channel_fixture.hpp"

namespace relay::origin::live {
namespace {

using namespace std::chrono_literals;

class ChannelRestartTest : public ChannelTest {
 protected:
  ChannelRestartTest() {
    // Nothing is over while the test runs: a segment of 100 s is at hand since 50 s.
    known = record(wall_now() - 1050s);
    known.job.live->setup = setup();
    known.job.live->setup->segment_frames = 2500;
    known.job.live->setup->group_frames = 2500;
    now = 10;
    restart();
  }
  void restart(std::map<std::string, std::vector<Segment>> kept = {}) {
    channel->stop("the origin is killed");
    channel = std::make_shared<Channel>(parts(), known);
    channel->start(std::move(kept));
  }
  std::filesystem::path file(std::int64_t segment) const {
    return keeper.folder.path() / "v360" / fmt::format("{}.m4s", segment);
  }
  std::filesystem::path notes_file() const { return keeper.folder.path() / notes_object("v360"); }

  ChannelRecord known;
};

TEST_F(ChannelRestartTest, WhatWasNamedStaysAndIsGoneOnWith) {
  ASSERT_TRUE(put(now, 0, "aaa"));
  ASSERT_TRUE(put(now, 1, "bb"));
  ASSERT_TRUE(put(now, 0, "s", false, "audio"));
  auto before = view();
  restart();
  EXPECT_EQ(view()->next, before->next);
  EXPECT_EQ(view("audio")->next, (media::LivePosition{now, 1, 0}));
  PartPlace second = find_part(*view(), now, 1);
  EXPECT_EQ(second.found, PartFound::there);
  EXPECT_EQ(second.offset, 3u);
  EXPECT_EQ(second.part.digest, digest128("bb"));
  ASSERT_TRUE(put(now, 2, "c", true));
  settle();
  EXPECT_EQ(keeper.digests.back(), digest128("aaabbc"));
  EXPECT_EQ(*store::read_file(file(now)), "aaabbc");
  EXPECT_FALSE(view()->window.segments.back().gap);
}

TEST_F(ChannelRestartTest, OnceMoreItStays) {
  ASSERT_TRUE(put(now, 0, "aaa"));
  restart();
  ASSERT_TRUE(put(now, 1, "bb"));
  restart();
  EXPECT_EQ(view()->next, (media::LivePosition{now, 2, 0}));
}

TEST_F(ChannelRestartTest, WhatWasWholeButNotKeptIsKept) {
  ASSERT_TRUE(put(now, 0, "aaa"));
  store::UniqueFd notes;
  Part whole{.bytes = 3, .ticks = 250, .independent = true, .digest = digest128("aaa")};
  ASSERT_TRUE(add_note(notes, notes_file(), 0, note_of(now, whole, true)));
  restart();
  EXPECT_EQ(view()->next, (media::LivePosition{now, 1, 0}));
  settle();
  EXPECT_EQ(keeper.kept_names, std::vector<std::string>{fmt::format("v360/{}", now)});
  EXPECT_EQ(keeper.digests.back(), digest128("aaa"));
}

TEST_F(ChannelRestartTest, WhatCouldNotBeKeptStaysAGap) {
  keeper.full = true;
  ASSERT_TRUE(put(now, 0, "aaa", true));
  while (view()->next.part != 0) step();
  EXPECT_TRUE(view()->window.segments.back().gap);
  EXPECT_FALSE(read_notes(notes_file()));
}

TEST_F(ChannelRestartTest, OtherBytesThanWereNamedAreNotShown) {
  ASSERT_TRUE(put(now, 0, "aaa"));
  store::UniqueFd damaged = std::move(*store::open_write(file(now)));
  ASSERT_TRUE(store::write_all_at(damaged.get(), "x", 1));
  restart({{"v360", {{.number = now - 1, .parts = {{.bytes = 1, .ticks = 1000}}}}}});
  EXPECT_EQ(view()->next.segment, now + 1) << "nobody knows what was shown of it";
  EXPECT_TRUE(view()->window.segments.back().gap);
}

TEST_F(ChannelRestartTest, NorIsMoreThanThereIs) {
  ASSERT_TRUE(put(now, 0, "aaa"));
  store::UniqueFd notes;
  Part part{.bytes = 1ULL << 62, .ticks = 250};
  ASSERT_TRUE(add_note(notes, notes_file(), 1, note_of(now, part, false)));
  restart({{"v360", {{.number = now - 1, .parts = {{.bytes = 1, .ticks = 1000}}}}}});
  EXPECT_EQ(view()->next.segment, now + 1);
}

TEST_F(ChannelRestartTest, NothingIsNotedOfAChannelThatHasEnded) {
  ASSERT_TRUE(put(now, 0, "aaa"));
  EXPECT_TRUE(read_notes(notes_file()));
  ASSERT_TRUE(run(Channel::end(channel)));
  EXPECT_FALSE(read_notes(notes_file()));
}

}  // namespace
}  // namespace relay::origin::live
