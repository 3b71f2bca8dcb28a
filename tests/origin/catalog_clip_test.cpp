// Clips in the catalog: what they hold, and when it is let go.
#include <gtest/gtest.h>

#include "tests/origin/catalog_clips.hpp"

namespace relay::origin {
namespace {

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
            "'final' cannot be deleted: a clip made of it plays its segments; delete 'goal' first");
  for (const char* name : {"a", "b", "c", "d", "e"})
    ASSERT_TRUE(catalog->make_clip(clip(name, "c2", 2, 3)));
  EXPECT_EQ(catalog->remove("demo", "final").error().message,
            "'final' cannot be deleted: 6 clips made of it play its segments; delete them first, "
            "in this order: 'a', 'b', 'c', 'd', 'e' and 1 more");
  for (const char* name : {"a", "b", "c", "d", "e"}) ASSERT_TRUE(*catalog->remove("demo", name));
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

class CatalogExactTest : public CatalogClipTest {
 protected:
  /// Segments 2 to 4 as "r1", with a job that makes "x1" of it.
  CatalogExactTest() { EXPECT_TRUE(make("r1", "x1", 2)); }
  Result<MadeClip> make(std::string version, std::string exact, std::int64_t first) {
    NewClip goal = clip("goal", std::move(version), first, 4);
    goal.facts.lead_in_us = 500;
    goal.facts.exactness = Exactness::pending;
    goal.exact_version = std::move(exact);
    return catalog->make_clip(goal);
  }
  media::Job edges(std::string version) const {
    return {media::JobKind::edges, "demo", "goal", std::move(version)};
  }
  Result<void> add_piece(const media::Job& of) {
    auto added = catalog->add_object(of, "v360/0.m4s", {10, {3, 4}, {}});
    return added ? Result<void>() : std::unexpected(added.error());
  }
  Result<Asset> finish(const std::string& version) {
    return catalog->finish_clip(edges(version), {.playlists = {{"", "exact"}, {"v360", "cut"}},
                                                 .renditions = {{.name = "v360"}},
                                                 .begin_us = 440,
                                                 .duration_us = 2'500'000,
                                                 .holds = {{"final", "v1", {{"v360", 3, 3}}}}});
  }
  Asset goal() { return **catalog->asset("demo", "goal"); }
};

TEST_F(CatalogExactTest, TheRoughOneIsPlayedUntilTheExactOneIsThere) {
  reopen();
  EXPECT_EQ(goal().current_version, "r1");
  EXPECT_EQ(goal().state, AssetState::ready);
  auto jobs = catalog->unfinished();
  ASSERT_EQ(jobs->size(), 1u) << "a restart takes it up again";
  EXPECT_EQ(jobs->front().kind, media::JobKind::edges);
  EXPECT_EQ(jobs->front().version, "x1");
  ASSERT_TRUE(catalog->begin(edges("x1")));
  ASSERT_TRUE(add_piece(edges("x1")));
  auto done = finish("x1");
  ASSERT_TRUE(done) << done.error().message;
  reopen();
  EXPECT_EQ(goal().current_version, "x1");
  EXPECT_EQ(goal().duration_ms, 2500);
  EXPECT_EQ(goal().clip->exactness, Exactness::exact);
  EXPECT_EQ(goal().clip->lead_in_us, 0);
  EXPECT_EQ(goal().clip->rough_version, "r1");
  EXPECT_EQ(goal().clip->rough_lead_in_us, 500);
  EXPECT_EQ(goal().clip->start_us, 0) << "the rough version's download goes by what was asked";
  EXPECT_EQ(goal().clip->shown_start_us, 0 - 500 + 440);
  EXPECT_EQ(goal().clip->shown_end_us, 2'500'000 - 60);
  EXPECT_EQ((*catalog->playlist("demo", "goal", "x1", "v360"))->text, "cut");
  EXPECT_EQ((*catalog->playlist("demo", "goal", "r1", "v360"))->text, "the segments");
  EXPECT_TRUE(catalog->unfinished()->empty());
  EXPECT_EQ(finish("x1").error().kind, ErrorKind::not_found) << "there is one end";
}

TEST_F(CatalogExactTest, BothVersionsHoldWhatTheyPlayUntilTheyGo) {
  ASSERT_TRUE(add_piece(edges("x1")));
  ASSERT_TRUE(finish("x1"));
  EXPECT_EQ(*catalog->remove_segments(job(), "v360", {1, 2, 3, 4}), Numbers{1});
  ASSERT_TRUE(make("r2", "x2", 4));
  ASSERT_TRUE(finish("x2"));
  EXPECT_TRUE(is_there(2)) << "whoever plays r1 goes on";
  auto again = catalog->make_clip(clip("goal", "r3", 5, 5));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(objects(again->released), (std::vector<std::string>{"v360/2.m4s", "v360/0.m4s"}));
  EXPECT_FALSE(catalog->object("demo", "goal", "x1", "v360/0.m4s")->has_value());
  EXPECT_TRUE(catalog->playlist("demo", "goal", "r2", "v360")->has_value());
  EXPECT_TRUE(catalog->playlist("demo", "goal", "x2", "v360")->has_value());
}

TEST_F(CatalogExactTest, AJobThatFailsLeavesTheClipAsItIs) {
  ASSERT_TRUE(add_piece(edges("x1")));
  auto given_up = catalog->give_up_clip(edges("x1"), "the segment is damaged");
  ASSERT_TRUE(given_up) << given_up.error().message;
  EXPECT_EQ(given_up->asset.clip->exact_error, "the segment is damaged");
  const std::vector<Released>& released = given_up->released;
  ASSERT_EQ(objects(released), std::vector<std::string>{"v360/0.m4s"});
  EXPECT_EQ(released.front().asset + "/" + released.front().version, "goal/x1");
  EXPECT_EQ(goal().clip->exactness, Exactness::rough);
  EXPECT_EQ(goal().clip->exact_error, "the segment is damaged");
  EXPECT_EQ(goal().current_version, "r1");
  EXPECT_EQ(goal().newest_version, "r1");
  EXPECT_FALSE(catalog->version("demo", "goal", "x1")->has_value());
  EXPECT_TRUE(catalog->unfinished()->empty());
}

TEST_F(CatalogExactTest, AnotherPutSupersedesTheJob) {
  ASSERT_TRUE(add_piece(edges("x1")));
  auto second = make("r2", "x2", 3);
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ(second->superseded_version, "x1");
  EXPECT_EQ(objects(second->released), std::vector<std::string>{"v360/0.m4s"});
  EXPECT_EQ(finish("x1").error().kind, ErrorKind::not_found);
  EXPECT_FALSE(add_piece(edges("x1")));
  ASSERT_EQ(catalog->unfinished()->size(), 1u);
  EXPECT_EQ(catalog->unfinished()->front().version, "x2");
}

TEST_F(CatalogExactTest, WhatASupersededJobStillTellsIsNotHeard) {
  catalog->note_progress(edges("x1"), {0.5, "edges"});
  EXPECT_EQ(catalog->progress("demo", "goal")->stage, "edges");
  ASSERT_TRUE(catalog->make_clip(clip("goal", "r2", 3, 4)));
  EXPECT_FALSE(catalog->progress("demo", "goal").has_value());
  catalog->note_progress(edges("x1"), {0.6, "edges"});
  catalog->note_stage(edges("x1"), "waiting");
  EXPECT_FALSE(catalog->progress("demo", "goal").has_value()) << "a clip that is ready";
  ASSERT_TRUE(*catalog->remove("demo", "goal"));
  catalog->note_progress(edges("r2"), {0.7, "edges"});
  EXPECT_FALSE(catalog->progress("demo", "goal").has_value());
}

/// "part" is made of the exact clip "goal": of its piece, its init and segment 3.
class CatalogClipOfClipTest : public CatalogExactTest {
 protected:
  CatalogClipOfClipTest() {
    for (const char* object : {"v360/0.m4s", "v360/1.m4s", "v360/init.mp4"})
      EXPECT_TRUE(catalog->add_object(edges("x1"), object, {10, {3, 4}, {}}));
    EXPECT_TRUE(finish("x1"));
  }
  NewClip part(std::string name, std::string version) {
    NewClip made = clip(std::move(name), std::move(version), 3, 3);
    made.facts.from = "goal";
    made.facts.from_version = "x1";
    made.holds.insert(made.holds.begin(), {"goal", "x1", {{"v360", 0, 0}}});
    made.objects.push_back({"goal", "x1", "v360/0.m4s"});
    return made;
  }
  bool has(const std::string& object) {
    return catalog->object("demo", "goal", "x1", "v360/" + object)->has_value();
  }
  /// Two versions on, x1 is nobody's any more.
  std::vector<std::string> replace_goal() {
    EXPECT_TRUE(catalog->make_clip(clip("goal", "r2", 4, 4)));
    auto made = catalog->make_clip(clip("goal", "r3", 4, 4));
    EXPECT_TRUE(made);
    return made ? objects(made->released) : std::vector<std::string>();
  }
};

TEST_F(CatalogClipOfClipTest, APieceStaysWhenItsClipIsReplaced) {
  ASSERT_TRUE(catalog->make_clip(part("part", "p1")));
  EXPECT_EQ(*catalog->remove_segments(job(), "v360", {1, 2, 3}), Numbers{1});
  EXPECT_EQ(replace_goal(), (std::vector<std::string>{"v360/2.m4s", "v360/1.m4s"}));
  EXPECT_TRUE(has("0.m4s"));
  EXPECT_TRUE(has("init.mp4"));
  EXPECT_FALSE(has("1.m4s"));
  EXPECT_TRUE(is_there(3)) << "held by the part itself";
  reopen();
  EXPECT_EQ((*catalog->version("demo", "goal", "x1"))->state, VersionState::dropped)
      << "a start would remove the folder of one that is not there";
  ASSERT_TRUE(catalog->make_clip(part("other", "o1"))) << "of the part, for instance";
  EXPECT_TRUE((*catalog->remove("demo", "part"))->released.empty());
  auto last = catalog->remove("demo", "other");
  EXPECT_EQ(objects((*last)->released),
            (std::vector<std::string>{"v360/0.m4s", "v360/init.mp4", "v360/3.m4s"}));
  EXPECT_FALSE(catalog->version("demo", "goal", "x1")->has_value());
}

TEST_F(CatalogClipOfClipTest, APieceStaysItsClipsOwnWhenThePartGoes) {
  ASSERT_TRUE(catalog->make_clip(part("part", "p1")));
  auto removed = catalog->remove("demo", "part");
  EXPECT_TRUE((*removed)->released.empty());
  EXPECT_TRUE(has("0.m4s"));
  EXPECT_EQ(replace_goal(),
            (std::vector<std::string>{"v360/0.m4s", "v360/1.m4s", "v360/init.mp4"}));
}

TEST_F(CatalogClipOfClipTest, AClipWhosePiecesAreHeldCannotBeDeleted) {
  ASSERT_TRUE(catalog->make_clip(part("part", "p1")));
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(
        catalog->remove("demo", "goal").error().message,
        "'goal' cannot be deleted: a clip made of it plays its segments; delete 'part' first");
    replace_goal();
  }
  EXPECT_EQ(catalog->remove("demo", "final").error().message,
            "'final' cannot be deleted: 2 clips made of it play its segments; delete them first, "
            "in this order: 'part', 'goal'");
  ASSERT_TRUE(*catalog->remove("demo", "part"));
  EXPECT_TRUE(*catalog->remove("demo", "goal"));
}

TEST_F(CatalogClipOfClipTest, OneWithoutPiecesInItGoesWithoutAsking) {
  NewClip middle = clip("middle", "m1", 3, 3);
  middle.facts.from = "goal";
  ASSERT_TRUE(catalog->make_clip(middle));
  EXPECT_TRUE(*catalog->remove("demo", "goal"));
  EXPECT_TRUE(is_there(3));
  EXPECT_EQ(catalog->make_clip(part("part", "p1")).error().kind, ErrorKind::not_found);
}

TEST_F(CatalogClipOfClipTest, AClipMayBeMadeOfItself) {
  ASSERT_TRUE(catalog->make_clip(part("goal", "r2")));
  ASSERT_TRUE(catalog->make_clip(part("goal", "r3")));
  EXPECT_TRUE(has("0.m4s")) << "of x1, which was dropped";
  EXPECT_FALSE(has("1.m4s"));
  auto removed = catalog->remove("demo", "goal");
  ASSERT_TRUE(removed) << removed.error().message;
  EXPECT_FALSE(has("0.m4s"));
  EXPECT_FALSE(catalog->version("demo", "goal", "x1")->has_value());
  EXPECT_TRUE(*catalog->remove("demo", "final")) << "nothing is held any more";
}

TEST_F(CatalogExactTest, AClipThatIsDeletedIsNotFinished) {
  ASSERT_TRUE(*catalog->remove("demo", "goal"));
  EXPECT_EQ(finish("x1").error().kind, ErrorKind::not_found);
  EXPECT_FALSE(catalog->asset("demo", "goal")->has_value());
  EXPECT_FALSE(catalog->object("demo", "goal", "x1", "v360/0.m4s")->has_value());
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
  scene.holds = {{"film", "f1", {{"v360", 0, 0}}}};
  scene.objects = {{"film", "f1", "v360/0.m4s"}};
  ASSERT_TRUE(catalog->make_clip(scene));
  auto removed = catalog->remove("demo", "scene");
  ASSERT_TRUE(removed && *removed);
  EXPECT_TRUE((*removed)->released.empty());
  EXPECT_TRUE(catalog->object("demo", "film", "f1", "v360/0.m4s")->has_value());
}

}  // namespace
}  // namespace relay::origin
