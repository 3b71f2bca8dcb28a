// Channels in the catalog: what survives a restart, and what is left of one that ended.
#include <gtest/gtest.h>

#include "origin/catalog.hpp"
#include "tests/support/temporary_folder.hpp"

namespace relay::origin {
namespace {

class CatalogLiveTest : public testing::Test {
 protected:
  CatalogLiveTest() {
    reopen();
    channel.record.job.kind = media::JobKind::live;
    channel.record.job.tenant = "demo";
    channel.record.job.asset = "final";
    channel.record.job.version = "v1";
    channel.record.job.live.emplace();
    channel.record.key_sha256 = "abc";
    channel.title = "The final";
  }
  void reopen() {
    catalog.reset();
    catalog = std::move(*Catalog::open(folder / "catalog"));
  }
  const media::Job& job() const { return channel.record.job; }
  Result<void> add(std::int64_t number) {
    live::Segment segment{.number = number, .parts = {{.bytes = 10, .ticks = 5}}};
    return catalog->add_segment(job(), "v360", segment, {10, {1, 2}, {}});
  }

  tests::TemporaryFolder folder;
  std::unique_ptr<Catalog> catalog;
  NewChannel channel;
};

TEST_F(CatalogLiveTest, AChannelIsLiveAndItsNameIsTaken) {
  auto asset = catalog->open_channel(channel);
  ASSERT_TRUE(asset);
  EXPECT_EQ(asset->state, AssetState::live);
  EXPECT_EQ(asset->kind, AssetKind::channel);
  EXPECT_EQ(asset->title, "The final");
  auto again = catalog->open_channel(channel);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, ErrorKind::conflict);
  auto video = catalog->accept({"demo", "final", "v2", AssetKind::video, {}, {}, "x", 1});
  ASSERT_FALSE(video);
  EXPECT_EQ(video.error().kind, ErrorKind::conflict);
}

TEST_F(CatalogLiveTest, ARestartFindsRecordAndSegmentsInTheirOrder) {
  ASSERT_TRUE(catalog->open_channel(channel));
  channel.record.job.live->setup = media::LiveSetup{.renditions = {{.name = "v360"}}};
  channel.record.key_sha256 = "def";
  ASSERT_TRUE(catalog->set_channel(channel.record));
  for (std::int64_t number : {9, 10, 300}) ASSERT_TRUE(add(number));
  reopen();
  auto channels = catalog->channels();
  ASSERT_TRUE(channels);
  ASSERT_EQ(channels->size(), 1u);
  EXPECT_EQ((*channels)[0].key_sha256, "def");
  EXPECT_EQ((*channels)[0].job.live->setup->renditions[0].name, "v360");
  EXPECT_TRUE(catalog->unfinished()->empty()) << "a channel is no job of the queue";
  auto segments = catalog->segments(job());
  ASSERT_TRUE(segments);
  std::vector<std::int64_t> numbers;
  for (const live::Segment& each : (*segments)["v360"]) numbers.push_back(each.number);
  EXPECT_EQ(numbers, (std::vector<std::int64_t>{9, 10, 300}));
  EXPECT_EQ((*catalog->object("demo", "final", "v1", "v360/10.m4s"))->bytes, 10u);
}

TEST_F(CatalogLiveTest, SegmentsThatLeftAreGoneWithTheirObjects) {
  ASSERT_TRUE(catalog->open_channel(channel));
  for (std::int64_t number : {1, 2, 3}) ASSERT_TRUE(add(number));
  ASSERT_TRUE(catalog->remove_segments(job(), "v360", {1, 2}));
  auto segments = catalog->segments(job());
  ASSERT_EQ((*segments)["v360"].size(), 1u);
  EXPECT_EQ((*segments)["v360"][0].number, 3);
  EXPECT_FALSE(*catalog->object("demo", "final", "v1", "v360/1.m4s"));
  EXPECT_TRUE(*catalog->object("demo", "final", "v1", "v360/3.m4s"));
}

TEST_F(CatalogLiveTest, AnEndedChannelIsARecording) {
  ASSERT_TRUE(catalog->open_channel(channel));
  ASSERT_TRUE(add(1));
  ASSERT_TRUE(catalog->set_multivariant(job(), {"#EXTM3U\n", {}, false},
                                        {{.name = "v360", .width = 640, .height = 360}}));
  auto ended = catalog->end_channel(job(), {{"v360", "the end"}}, 4000);
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->state, AssetState::ready);
  EXPECT_EQ(ended->height, 360);
  EXPECT_EQ(ended->duration_ms, 4000);
  auto playlist = catalog->playlist("demo", "final", "v1", "v360");
  ASSERT_TRUE(playlist && *playlist);
  EXPECT_TRUE((*playlist)->ended);
  EXPECT_TRUE(catalog->channels()->empty());
  EXPECT_TRUE(*catalog->object("demo", "final", "v1", "v360/1.m4s")) << "its media stay";
}

TEST_F(CatalogLiveTest, ARestartFindsWhatAnEndedChannelHadNotForgottenYet) {
  ASSERT_TRUE(catalog->open_channel(channel));
  for (std::int64_t number : {7, 8, 9, 10, 300}) ASSERT_TRUE(add(number));
  ASSERT_TRUE(catalog->set_multivariant(job(), {"#EXTM3U\n", {}, false},
                                        {{.name = "v360", .width = 640, .height = 360}}));
  EXPECT_TRUE(catalog->left_behind()->empty()) << "it is open";
  std::string recording =
      "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:9\n"
      "#EXTINF:4,\n9.m4s\n#EXTINF:4,\n10.m4s\n#EXT-X-ENDLIST\n";
  ASSERT_TRUE(catalog->end_channel(job(), {{"v360", recording}}, 8000));
  auto left = catalog->left_behind();
  ASSERT_TRUE(left);
  ASSERT_EQ(left->size(), 1u);
  EXPECT_EQ((*left)[0].rendition, "v360");
  EXPECT_EQ((*left)[0].numbers, (std::vector<std::int64_t>{7, 8, 300}));
  EXPECT_EQ((*left)[0].shown, std::chrono::seconds(8));
  ASSERT_TRUE(catalog->remove_segments((*left)[0].job, "v360", (*left)[0].numbers));
  EXPECT_TRUE(catalog->left_behind()->empty());
}

TEST_F(CatalogLiveTest, AChannelOnWhichNothingWasPublishedFails) {
  ASSERT_TRUE(catalog->open_channel(channel));
  auto ended = catalog->end_channel(job(), {}, 0);
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->state, AssetState::failed);
  EXPECT_FALSE(ended->error.empty());
}

TEST_F(CatalogLiveTest, DeletionLeavesNothing) {
  ASSERT_TRUE(catalog->open_channel(channel));
  ASSERT_TRUE(add(1));
  ASSERT_TRUE(*catalog->remove("demo", "final"));
  EXPECT_TRUE(catalog->channels()->empty());
  EXPECT_TRUE(catalog->segments(job())->empty());
  auto late = add(2);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind, ErrorKind::not_found);
}

}  // namespace
}  // namespace relay::origin
