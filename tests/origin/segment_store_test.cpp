#include "origin/segment_store.hpp"

#include <gtest/gtest.h>

#include "origin/catalog.hpp"
#include "tests/support/temporary_folder.hpp"

namespace relay::origin {
namespace {

namespace fs = std::filesystem;

TEST(SegmentStore, SweepDropsWhatTheCatalogDoesNotName) {
  tests::TemporaryFolder folder;
  auto catalog = Catalog::open(folder / "catalog");
  auto store = SegmentStore::open(folder.path());
  ASSERT_TRUE(catalog && store);
  ASSERT_TRUE((*catalog)->accept({"demo", "a", "v1", AssetKind::video, {}, {}, "x", 1}));
  ASSERT_TRUE(store->put_media("demo", "a", "v1", "v180/0.m4s", "kept"));
  ASSERT_TRUE(store->put_media("demo", "a", "v0", "v180/0.m4s", "of a lost version"));
  ASSERT_TRUE(store->put_media("demo", "b", "v1", "w320.jpg", "of a lost asset"));
  fs::path upload = store->incoming();
  ASSERT_TRUE(store::write_atomically(upload, "half an upload"));
  ASSERT_TRUE(store::write_atomically(store->source_path("demo", "b", "v1"), "unnamed"));
  store->sweep(**catalog);
  EXPECT_TRUE(fs::exists(store->media_path("demo", "a", "v1", "v180/0.m4s")));
  EXPECT_FALSE(fs::exists(store->media_path("demo", "a", "v0", "v180/0.m4s")));
  EXPECT_FALSE(fs::exists(store->media_path("demo", "b", "v1", "w320.jpg")));
  EXPECT_FALSE(fs::exists(store->source_path("demo", "b", "v1")));
  EXPECT_FALSE(fs::exists(upload));
}

TEST(SegmentStore, AnAdoptedSourceMoves) {
  tests::TemporaryFolder folder;
  auto store = SegmentStore::open(folder.path());
  fs::path upload = store->incoming();
  ASSERT_NE(upload, store->incoming());
  ASSERT_TRUE(store::write_atomically(upload, "bytes"));
  ASSERT_TRUE(store->adopt_source(upload, "demo", "a", "v1"));
  EXPECT_FALSE(fs::exists(upload));
  EXPECT_EQ(*store::read_file(store->source_path("demo", "a", "v1")), "bytes");
}

TEST(SegmentStore, RemovedAssetsLeaveTheirNeighboursAlone) {
  tests::TemporaryFolder folder;
  auto store = SegmentStore::open(folder.path());
  ASSERT_TRUE(store->put_media("demo", "a", "v1", "w320.jpg", "x"));
  ASSERT_TRUE(store->put_media("demo", "a2", "v1", "w320.jpg", "x"));
  store->remove_asset("demo", "a");
  store->remove_asset("demo", "never was");
  EXPECT_FALSE(fs::exists(store->media_path("demo", "a", "v1", "w320.jpg")));
  EXPECT_TRUE(fs::exists(store->media_path("demo", "a2", "v1", "w320.jpg")));
  EXPECT_TRUE(fs::is_empty(folder / "trash"));
}

}  // namespace
}  // namespace relay::origin
