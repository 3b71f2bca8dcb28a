// Clips in the catalog whose end is still being made.
#include "tests/origin/catalog_clips.hpp"

namespace relay::origin {
namespace {

using CatalogGrowthTest = CatalogClipTest;

TEST_F(CatalogGrowthTest, OneWhoseEndIsStillBeingMadeGrows) {
  NewClip goal = clip("goal", "c1", 2, 3);
  goal.is_whole = false;
  goal.facts.exactness = Exactness::pending;
  auto made = catalog->make_clip(goal);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->asset.state, AssetState::processing);
  EXPECT_FALSE((*catalog->playlist("demo", "goal", "c1", "v360"))->ended);
  EXPECT_TRUE(catalog->unfinished()->empty()) << "no job is made of it before it is whole";
  ASSERT_TRUE(catalog->relabel("demo", "goal", "1:0", {}));
  reopen();
  EXPECT_EQ(catalog->growing_clips()->size(), 1u);

  NewClip more = clip("goal", "c1", 2, 4);
  more.facts = goal.facts;
  more.playlists["v360"] = "more segments";
  more.exact_version = "c2";
  auto whole = catalog->grow_clip(more);
  ASSERT_TRUE(whole) << whole.error().message;
  EXPECT_EQ(whole->state, AssetState::ready);
  EXPECT_EQ(whole->title, "1:0") << "kept";
  auto playlist = *catalog->playlist("demo", "goal", "c1", "v360");
  EXPECT_EQ(playlist->text, "more segments");
  EXPECT_TRUE(playlist->ended);
  EXPECT_EQ(catalog->unfinished()->front().version, "c2");
  EXPECT_EQ(*catalog->remove_segments(job(), "v360", {1, 2, 3, 4, 5}), (Numbers{1, 5}));
  EXPECT_TRUE(catalog->growing_clips()->empty());
  EXPECT_EQ(catalog->grow_clip(more).error().kind, ErrorKind::not_found) << "it is whole";
}

TEST_F(CatalogGrowthTest, OneThatWasReplacedGrowsNoMore) {
  NewClip goal = clip("goal", "c1", 2, 3);
  goal.is_whole = false;
  ASSERT_TRUE(catalog->make_clip(goal));
  NewClip other = clip("goal", "c2", 1, 1);
  other.is_whole = false;
  ASSERT_TRUE(catalog->make_clip(other));
  EXPECT_EQ(catalog->grow_clip(clip("goal", "c1", 2, 4)).error().kind, ErrorKind::not_found);
  reopen();  // whatever happens now, whoever plays it sees its end
  auto ended = *catalog->playlist("demo", "goal", "c1", "v360");
  EXPECT_TRUE(ended->ended);
  EXPECT_EQ(ended->text, goal.playlists["v360"] + "#EXT-X-ENDLIST\n");
  EXPECT_EQ((*catalog->playlist("demo", "goal", "c1", ""))->text, goal.playlists[""]);
  EXPECT_FALSE((*catalog->playlist("demo", "goal", "c2", "v360"))->ended);
  NewClip gone = clip("goal", "c2", 1, 6);
  EXPECT_TRUE(catalog->grow_clip(gone).error().retry) << "6 is not there";
  EXPECT_TRUE(catalog->grow_clip(clip("goal", "c2", 1, 2)));
}

}  // namespace
}  // namespace relay::origin
