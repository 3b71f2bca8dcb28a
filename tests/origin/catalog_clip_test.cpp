// Clips in the catalog: what they hold, and when it is let go.
#include <gtest/gtest.h>

#include "origin/catalog.hpp"
#include "tests/support/temporary_folder.hpp"

namespace relay::origin {
namespace {

class CatalogClipTest : public testing::Test {
 protected:
  CatalogClipTest() {
    reopen();
    channel.record.job.kind = media::JobKind::live;
    channel.record.job.tenant = "demo";
    channel.record.job.asset = "final";
    channel.record.job.version = "v1";
    channel.record.job.live.emplace();
    EXPECT_TRUE(catalog->open_channel(channel));
    for (std::int64_t number : {1, 2, 3, 4, 5}) add(number);
  }
  void reopen() {
    catalog.reset();
    catalog = std::move(*Catalog::open(folder / "catalog"));
  }
  const media::Job& job() const { return channel.record.job; }
  void add(std::int64_t number) {
    live::Segment segment{.number = number, .parts = {{.bytes = 10, .ticks = 5}}};
    ASSERT_TRUE(catalog->add_segment(job(), "v360", segment, {10, {1, 2}, {}}));
  }
  NewClip clip(std::string name, std::string version, std::int64_t first, std::int64_t last) {
    NewClip made{.tenant = "demo",
                 .asset = std::move(name),
                 .version = std::move(version),
                 .facts = {"final", "v1", 0, 4'000'000, 0, {}},
                 .playlists = {{"", "the renditions"}, {"v360", "the segments"}},
                 .renditions = {{.name = "v360"}},
                 .holds = {"final", "v1", {{"v360", first, last}}}};
    for (std::int64_t number = first; number <= last; ++number)
      made.objects.push_back(media::segment_object("v360", number));
    return made;
  }
  bool is_there(std::int64_t number) {
    return catalog->object("demo", "final", "v1", media::segment_object("v360", number))
        ->has_value();
  }
  using Numbers = std::vector<std::int64_t>;

  tests::TemporaryFolder folder;
  std::unique_ptr<Catalog> catalog;
  NewChannel channel;
};

std::vector<std::string> objects(const std::vector<Released>& released) {
  std::vector<std::string> names;
  for (const Released& each : released) names.push_back(each.object);
  return names;
}

TEST_F(CatalogClipTest, AClipIsAnAssetThatIsReadyAtOnce) {
  NewClip goal = clip("goal", "c1", 2, 3);
  goal.title = "1:0";
  auto made = catalog->make_clip(goal);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_TRUE(made->is_new);
  reopen();
  auto asset = catalog->asset("demo", "goal");
  ASSERT_TRUE(asset && *asset);
  EXPECT_EQ((*asset)->kind, AssetKind::clip);
  EXPECT_EQ((*asset)->state, AssetState::ready);
  EXPECT_EQ((*asset)->title, "1:0");
  EXPECT_EQ((*asset)->clip->from, "final");
  EXPECT_EQ((*asset)->clip->end_us, 4'000'000);
  EXPECT_EQ((*catalog->playlist("demo", "goal", "c1", "v360"))->text, "the segments");
  EXPECT_EQ(catalog->list("demo", {.kind = AssetKind::clip}, "", 10)->assets.size(), 1u);
  EXPECT_TRUE(catalog->unfinished()->empty());
}

TEST_F(CatalogClipTest, WhatLeavesTheWindowStaysAsLongAsAClipHoldsIt) {
  ASSERT_TRUE(catalog->make_clip(clip("goal", "c1", 2, 3)));
  ASSERT_TRUE(catalog->make_clip(clip("foul", "c2", 3, 4)));
  EXPECT_EQ(*catalog->remove_segments(job(), "v360", {1, 2, 3}), Numbers{1});
  EXPECT_FALSE(is_there(1));
  EXPECT_TRUE(is_there(2));
  reopen();
  EXPECT_EQ((*catalog->segments(job()))["v360"].size(), 2u) << "the window is 4 and 5";
  auto goal = catalog->remove("demo", "goal");
  ASSERT_TRUE(goal && *goal);
  EXPECT_EQ(objects((*goal)->released), std::vector<std::string>{"v360/2.m4s"});
  EXPECT_FALSE(is_there(2));
  EXPECT_TRUE(is_there(3)) << "the other clip's";
  auto foul = catalog->remove("demo", "foul");
  EXPECT_EQ(objects((*foul)->released), std::vector<std::string>{"v360/3.m4s"});
  EXPECT_TRUE(is_there(4)) << "still in the window";
}

TEST_F(CatalogClipTest, ManyObjectsAreReadAtOnceInTheirOrder) {
  auto name = [](std::int64_t number) { return media::segment_object("v360", number); };
  auto found = catalog->objects(
      "demo", {{"final", "v1", name(2)}, {"final", "v1", name(9)}, {"final", "v1", name(1)}});
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_EQ(found->size(), 3u);
  EXPECT_TRUE((*found)[0].has_value());
  EXPECT_FALSE((*found)[1].has_value());
  EXPECT_TRUE((*found)[2].has_value());
}

TEST_F(CatalogClipTest, ASourceWithClipsCannotBeDeleted) {
  ASSERT_TRUE(catalog->make_clip(clip("goal", "c1", 2, 3)));
  auto refused = catalog->remove("demo", "final");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::conflict);
  EXPECT_EQ(refused.error().message,
            "clips are made of 'final' and play its segments: 'goal'; delete them first");
  EXPECT_TRUE(is_there(2));
  ASSERT_TRUE(*catalog->remove("demo", "goal"));
  EXPECT_TRUE(*catalog->remove("demo", "final"));
}

TEST_F(CatalogClipTest, AnotherVersionReplacesItAndTheOneBeforeStaysForWhoPlaysIt) {
  NewClip first = clip("goal", "c1", 1, 1);
  first.title = "1:0";
  ASSERT_TRUE(catalog->make_clip(first));
  auto second = catalog->make_clip(clip("goal", "c2", 2, 2));
  ASSERT_TRUE(second);
  EXPECT_FALSE(second->is_new);
  EXPECT_EQ(second->asset.current_version, "c2");
  EXPECT_EQ(second->asset.title, "1:0") << "kept";
  EXPECT_TRUE(catalog->remove_segments(job(), "v360", {1, 2, 3})->size() == 1);
  EXPECT_TRUE(catalog->playlist("demo", "goal", "c1", "v360")->has_value());
  EXPECT_TRUE(is_there(1));
  auto third = catalog->make_clip(clip("goal", "c3", 4, 5));
  ASSERT_TRUE(third) << third.error().message;
  EXPECT_EQ(objects(third->released), std::vector<std::string>{"v360/1.m4s"});
  EXPECT_FALSE(catalog->playlist("demo", "goal", "c1", "v360")->has_value());
  EXPECT_FALSE(catalog->version("demo", "goal", "c1")->has_value());
  EXPECT_TRUE(is_there(2)) << "of c2";
}

TEST_F(CatalogClipTest, WhatIsGoneInTheMeantimeIsNotClipped) {
  ASSERT_TRUE(catalog->remove_segments(job(), "v360", {1}));
  auto late = catalog->make_clip(clip("goal", "c1", 1, 2));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind, ErrorKind::not_found);
  EXPECT_FALSE(catalog->asset("demo", "goal")->has_value()) << "nothing of it was done";
  EXPECT_EQ(*catalog->remove_segments(job(), "v360", {2}), Numbers{2});
  ASSERT_TRUE(*catalog->remove("demo", "final"));
  EXPECT_EQ(catalog->make_clip(clip("goal", "c1", 3, 4)).error().kind, ErrorKind::not_found);
}

TEST_F(CatalogClipTest, ANameBelongsToOneKind) {
  auto over_channel = catalog->make_clip(clip("final", "c1", 1, 2));
  ASSERT_FALSE(over_channel);
  EXPECT_EQ(over_channel.error().kind, ErrorKind::conflict);
  ASSERT_TRUE(catalog->make_clip(clip("goal", "c1", 1, 2)));
  auto video = catalog->accept({"demo", "goal", "v2", AssetKind::video, {}, {}, "x", 1});
  ASSERT_FALSE(video);
  EXPECT_EQ(video.error().kind, ErrorKind::conflict);
}

TEST_F(CatalogClipTest, AVideoKeepsItsSegmentsWithoutItsClips) {
  auto accepted = catalog->accept({"demo", "film", "f1", AssetKind::video, {}, {}, "x", 1});
  media::Job film{media::JobKind::video, "demo", "film", "f1"};
  ASSERT_TRUE(catalog->add_object(film, "v360/0.m4s", {10, {1, 2}, {}}));
  NewClip scene = clip("scene", "c1", 0, 0);
  scene.holds.asset = scene.facts.from = "film";
  scene.holds.version = "f1";
  ASSERT_TRUE(catalog->make_clip(scene));
  auto removed = catalog->remove("demo", "scene");
  ASSERT_TRUE(removed && *removed);
  EXPECT_TRUE((*removed)->released.empty());
  EXPECT_TRUE(catalog->object("demo", "film", "f1", "v360/0.m4s")->has_value());
}

}  // namespace
}  // namespace relay::origin
