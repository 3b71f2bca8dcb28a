#include "origin/catalog.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/support/temporary_folder.hpp"

namespace relay::origin {
namespace {

class CatalogTest : public testing::Test {
 protected:
  CatalogTest() { reopen(); }

  void reopen() {
    catalog.reset();
    auto opened = Catalog::open(folder / "catalog");
    ASSERT_TRUE(opened) << opened.error().message;
    catalog = std::move(*opened);
    catalog->on_event([this](const Event& event) { events.push_back(event); });
  }

  NewSource source(std::string asset, std::string bytes, AssetKind kind = AssetKind::video) {
    std::string version = "v" + std::to_string(++versions);
    return {"demo", std::move(asset), version, kind, std::nullopt, std::nullopt, bytes, 100};
  }

  media::Job job(const Accepted& accepted) {
    return {media::JobKind::video, "demo", accepted.asset.name, accepted.asset.newest_version};
  }

  /// An asset with one rendition and a multivariant playlist.
  media::Job published(std::string name, std::string bytes) {
    media::Job done = job(*catalog->accept(source(std::move(name), std::move(bytes))));
    EXPECT_TRUE(catalog->begin(done));
    EXPECT_TRUE(catalog->set_playlist(done, "v180", {"media of " + done.version, {}, true}));
    EXPECT_TRUE(*catalog->set_multivariant(done, {multivariant, {}, false}, {{"v180"}}));
    return done;
  }

  std::string state_of(const char* asset) { return name((*catalog->asset("demo", asset))->state); }

  static constexpr const char* multivariant =
      "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-STREAM-INF:BANDWIDTH=1,AVERAGE-BANDWIDTH=1,"
      "CODECS=\"avc1.64001f\"\nv1/v180/index.m3u8\n";
  tests::TemporaryFolder folder;
  std::unique_ptr<Catalog> catalog;
  std::vector<Event> events;
  int versions = 0;
};

TEST_F(CatalogTest, AcceptedSourcesAreQueuedAndSurviveARestart) {
  auto accepted = catalog->accept(source("a", "bytes"));
  ASSERT_TRUE(accepted) << accepted.error().message;
  EXPECT_EQ(accepted->acceptance, Acceptance::created);
  reopen();
  EXPECT_EQ(state_of("a"), "queued");
  auto jobs = catalog->unfinished();
  ASSERT_EQ(jobs->size(), 1u);
  EXPECT_EQ((*jobs)[0].version, "v1");
  EXPECT_EQ((*jobs)[0].source_bytes, 100u);
}

TEST_F(CatalogTest, UnfinishedJobsComeInTheOrderOfTheirUploads) {
  for (const char* name : {"c", "a", "b"}) ASSERT_TRUE(catalog->accept(source(name, "bytes")));
  reopen();
  std::string order;
  for (const media::Job& job : *catalog->unfinished()) order += job.asset;
  EXPECT_EQ(order, "cab");
}

TEST_F(CatalogTest, TheSameBytesChangeNothingUnlessTheyFailed) {
  auto first = catalog->accept(source("a", "bytes"));
  EXPECT_EQ(catalog->accept(source("a", "bytes"))->acceptance, Acceptance::unchanged);
  EXPECT_EQ((*catalog->asset("demo", "a"))->newest_version, "v1");
  ASSERT_TRUE(catalog->begin(job(*first)));
  ASSERT_TRUE(catalog->settle(job(*first), {.ready = false, .reason = "it is no video"}));
  EXPECT_EQ((*catalog->asset("demo", "a"))->error, "it is no video");
  auto again = catalog->accept(source("a", "bytes"));
  EXPECT_EQ(again->acceptance, Acceptance::replaced);
  EXPECT_EQ(again->superseded_version, "v1");
  EXPECT_EQ((*catalog->asset("demo", "a"))->error, "");
}

TEST_F(CatalogTest, OtherBytesAreANewVersionOfAVideoButNotOfAPhoto) {
  ASSERT_TRUE(catalog->accept(source("video", "one")));
  ASSERT_TRUE(catalog->accept(source("photo", "one", AssetKind::photo)));
  EXPECT_EQ(catalog->accept(source("video", "two"))->acceptance, Acceptance::replaced);
  for (auto& refused :
       {source("photo", "two", AssetKind::photo), source("photo", "one", AssetKind::video)}) {
    auto accepted = catalog->accept(refused);
    ASSERT_FALSE(accepted);
    EXPECT_EQ(accepted.error().kind, ErrorKind::conflict);
    EXPECT_TRUE(accepted.error().message.contains("delete it first"));
  }
}

TEST_F(CatalogTest, ANewVersionTakesOverWhenItIsPlayable) {
  media::Job old = published("a", "one");
  ASSERT_TRUE(catalog->settle(old, {.ready = true}));
  media::Job next = job(*catalog->accept(source("a", "two")));
  EXPECT_EQ((*catalog->asset("demo", "a"))->current_version, old.version);
  EXPECT_TRUE(*catalog->set_multivariant(next, {multivariant, {}, false}, {}));
  EXPECT_EQ((*catalog->asset("demo", "a"))->current_version, next.version);
  EXPECT_FALSE(*catalog->set_multivariant(next, {multivariant, {}, false}, {}));
}

TEST_F(CatalogTest, AFailedVersionGivesTheOldOneBack) {
  media::Job old = published("a", "one");
  ASSERT_TRUE(catalog->settle(old, {.ready = true}));
  media::Job next = published("a", "two");
  auto settled = catalog->settle(next, {.ready = false, .reason = "why"});
  ASSERT_TRUE(settled) << settled.error().message;
  EXPECT_EQ(settled->asset.state, AssetState::failed);
  EXPECT_EQ(settled->asset.current_version, old.version);
  EXPECT_EQ(settled->asset.renditions.at(0).name, "v180");
  EXPECT_EQ(settled->stale_sources, std::vector<std::string>{next.version});
}

TEST_F(CatalogTest, WhatIsKnownOfAVersionGoesWithIt) {
  media::JobResult result{.ready = true, .duration_ms = 7000, .width = 640, .height = 360};
  result.warnings = {"the file ends early"};
  ASSERT_TRUE(catalog->settle(published("a", "one"), result));
  auto told = [&] {
    reopen();
    Asset asset = **catalog->asset("demo", "a");
    return fmt::format("{} {} {} {} {}", asset.current_version, asset.current_sha256,
                       asset.current_whole, asset.duration_ms, asset.warnings.size());
  };
  EXPECT_EQ(told(), "v1 one true 7000 1");
  media::Job next = job(*catalog->accept(source("a", "two")));
  EXPECT_EQ(told(), "v1 one true 7000 1") << "it waits";
  ASSERT_TRUE(*catalog->set_multivariant(next, {multivariant, {}, false}, {}));
  EXPECT_EQ(told(), "v2 two false 0 0") << "viewers get what there is of it";
  ASSERT_TRUE(catalog->settle(next, {.ready = false, .reason = "why"}));
  EXPECT_EQ(told(), "v1 one true 7000 1") << "they have the old one again";
  ASSERT_TRUE(catalog->settle(published("a", "three"), {.ready = true, .duration_ms = 9}));
  EXPECT_EQ(told(), "v3 three true 9 0");
}

TEST_F(CatalogTest, AVersionThatWasSupersededUnfinishedGivesWayToAWholeOne) {
  ASSERT_TRUE(catalog->settle(published("a", "one"), {.ready = true, .duration_ms = 7}));
  published("a", "two");
  media::Job next = job(*catalog->accept(source("a", "three")));
  EXPECT_EQ((*catalog->asset("demo", "a"))->current_version, "v2");
  auto settled = catalog->settle(next, {.ready = false, .reason = "why"});
  EXPECT_EQ(settled->asset.current_version, "v1");
  EXPECT_EQ(settled->asset.duration_ms, 7);
}

TEST_F(CatalogTest, AReadyVersionMakesOlderSourcesStale) {
  ASSERT_TRUE(catalog->settle(published("a", "one"), {.ready = true}));
  auto settled = catalog->settle(published("a", "two"), {.ready = true, .duration_ms = 7});
  EXPECT_EQ(settled->stale_sources, std::vector<std::string>{"v1"});
  EXPECT_EQ(settled->asset.duration_ms, 7);
}

TEST_F(CatalogTest, SupersededJobsFindNothing) {
  media::Job old = job(*catalog->accept(source("a", "one")));
  ASSERT_TRUE(catalog->accept(source("a", "two")));
  EXPECT_EQ(catalog->begin(old).error().kind, ErrorKind::not_found);
  EXPECT_EQ(catalog->add_object(old, "v180/0.m4s", {}).error().kind, ErrorKind::not_found);
  EXPECT_EQ(catalog->settle(old, {.ready = true}).error().kind, ErrorKind::not_found);
}

TEST_F(CatalogTest, ObjectsNeverChange) {
  media::Job done = job(*catalog->accept(source("a", "one")));
  ObjectRecord record{5, {1, 2}, WallTime(std::chrono::milliseconds(9))};
  EXPECT_EQ(*catalog->add_object(done, "v180/0.m4s", record), ObjectOutcome::stored);
  EXPECT_EQ(*catalog->add_object(done, "v180/0.m4s", record), ObjectOutcome::same);
  auto other = catalog->add_object(done, "v180/0.m4s", {5, {1, 3}, {}});
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().kind, ErrorKind::conflict);
  auto kept = catalog->object("demo", "a", done.version, "v180/0.m4s");
  EXPECT_EQ((*kept)->digest, (Digest128{1, 2}));
  EXPECT_EQ((*kept)->modified, record.modified);
}

TEST_F(CatalogTest, DeletedIsGoneWithAllThatBelongsToIt) {
  media::Job done = published("a", "one");
  ASSERT_TRUE(catalog->add_object(done, "v180/0.m4s", {}));
  media::Job neighbour = published("a2", "one");
  EXPECT_TRUE(*catalog->remove("demo", "a"));
  EXPECT_FALSE(*catalog->remove("demo", "a"));
  EXPECT_FALSE(*catalog->asset("demo", "a"));
  EXPECT_FALSE(*catalog->object("demo", "a", done.version, "v180/0.m4s"));
  EXPECT_FALSE(*catalog->playlist("demo", "a", done.version, "v180"));
  EXPECT_FALSE(*catalog->version("demo", "a", done.version));
  EXPECT_TRUE(*catalog->playlist("demo", "a2", neighbour.version, "v180"));
  EXPECT_EQ(events.back().type, "deleted");
}

TEST_F(CatalogTest, ListsByPageAndFilter) {
  for (const char* name : {"alpha", "beta", "delta", "gamma"}) {
    NewSource each = source(name, name);
    each.title = std::string("The ") + name;
    if (each.asset != "beta") each.tags = {"greek"};
    ASSERT_TRUE(catalog->accept(each));
  }
  ASSERT_TRUE(catalog->accept(source("alpine", "x", AssetKind::photo)));
  auto names = [&](const AssetFilter& filter, std::string cursor, std::size_t most) {
    auto page = catalog->list("demo", filter, cursor, most);
    std::string text;
    for (const Asset& asset : page->assets) text += asset.name + " ";
    return text + "|" + page->next_cursor;
  };
  EXPECT_EQ(names({}, "", 2), "alpha alpine |alpine");
  EXPECT_EQ(names({}, "alpine", 2), "beta delta |delta");
  EXPECT_EQ(names({}, "delta", 2), "gamma |");
  EXPECT_EQ(names({.tag = "greek"}, "", 9), "alpha delta gamma |");
  EXPECT_EQ(names({.text = "THE ALP"}, "", 9), "alpha |");
  EXPECT_EQ(names({.kind = AssetKind::photo}, "", 9), "alpine |");
  EXPECT_TRUE(catalog->list("dem", {}, "", 9)->assets.empty());
}

TEST_F(CatalogTest, EventsAreLoggedInOrderAndProgressIsNot) {
  media::Job done = job(*catalog->accept(source("a", "one")));
  ASSERT_TRUE(catalog->begin(done));
  catalog->note_progress(done, {0.5, "encoding"});
  ASSERT_TRUE(catalog->remove("demo", "a"));
  std::string heard;
  for (const Event& event : events) heard += std::to_string(event.sequence) + event.type + " ";
  EXPECT_EQ(heard, "1asset 2asset 0progress 3deleted ");
  EXPECT_TRUE(events[2].data.contains("\"stage\":\"encoding\""));
  reopen();
  auto missed = catalog->events_after("demo", 1);
  ASSERT_EQ(missed->size(), 2u);
  EXPECT_EQ((*missed)[1].data, events[3].data);
  EXPECT_TRUE(catalog->events_after("other", 0)->empty());
  EXPECT_TRUE(*catalog->log_reaches(0));
  EXPECT_FALSE(*catalog->log_reaches(4)) << "no such event yet";
  ASSERT_TRUE(catalog->accept(source("b", "one")));
  EXPECT_EQ(events.back().sequence, 4u) << "numbers go on after a restart";
}

TEST_F(CatalogTest, LabelsCanBeChanged) {
  ASSERT_TRUE(catalog->accept(source("a", "one")));
  auto changed = catalog->relabel("demo", "a", "New", std::nullopt);
  EXPECT_EQ((*changed)->title, "New");
  EXPECT_FALSE(*catalog->relabel("demo", "none", "New", std::nullopt));
}

TEST_F(CatalogTest, RefusesTheFormOfANewerRelease) {
  catalog.reset();
  {
    auto env = store::Env::open(folder / "catalog", {});
    auto meta = env->table("meta");
    auto txn = env->write();
    ASSERT_TRUE(txn->put(*meta, "format", "2"));
    ASSERT_TRUE(txn->commit());
  }
  auto opened = Catalog::open(folder / "catalog");
  ASSERT_FALSE(opened);
  EXPECT_TRUE(opened.error().message.contains("newer release"));
}

}  // namespace
}  // namespace relay::origin
