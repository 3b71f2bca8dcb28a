// The job that makes a clip exact, at its desk: the source that is made for it, and what stays.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <functional>
#include <thread>

#include "common/net/blocking.hpp"
#include "origin/announce.hpp"
#include "origin/catalog.hpp"
#include "origin/ingest.hpp"
#include "origin/segment_store.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/temporary_folder.hpp"

namespace relay::origin {
namespace {

constexpr std::int64_t second = 1'000'000;

std::string rough_multivariant(const std::string& version) {
  media::MultivariantPlaylist playlist;
  playlist.variants = {{.uri = version + "/v234/index.m3u8",
                        .bandwidth = 9000,
                        .average_bandwidth = 8000,
                        .codecs = "avc1.64001f",
                        .width = 416,
                        .height = 234,
                        .frame_rate = 25}};
  return media::write(playlist);
}

std::string rough_segments() {
  media::MediaPlaylist playlist{.target_duration_s = 2,
                                .type = media::PlaylistType::vod,
                                .map_uri = "../../../film/f1/v234/init.mp4",
                                .ended = true};
  for (const char* name : {"0.m4s", "1.m4s", "2.m4s"})
    playlist.segments.push_back({std::string("../../../film/f1/v234/") + name, 2});
  return media::write(playlist);
}

/// A video of three segments, and a clip of it, "r1", whose ends a job is to cut as "x1".
class ClipJobTest : public testing::Test {
 protected:
  ClipJobTest() {
    EXPECT_TRUE(catalog->accept({"demo", "film", "f1", AssetKind::video, {}, {}, "x", 1}));
    for (const char* object : {"init.mp4", "0.m4s", "1.m4s", "2.m4s"})
      add("film", "f1", object, object);
    announcer.start(idle, {});
    ingest.emplace(*catalog, store, announcer, blocking, metrics, IngestOptions{});
    EXPECT_TRUE(make("r1", "x1"));
  }
  ~ClipJobTest() override {
    announcer.stop();
    idle.run();
  }

  void add(const std::string& asset, const std::string& version, const std::string& name,
           const std::string& bytes) {
    std::string object = "v234/" + name;
    ASSERT_TRUE(store.put_media("demo", asset, version, object, bytes));
    ASSERT_TRUE(catalog->add_object({media::JobKind::video, "demo", asset, version}, object,
                                    {bytes.size(), digest128(bytes), {}, {}}));
  }
  Result<MadeClip> make(const std::string& version, const std::string& exact) {
    NewClip clip{.tenant = "demo",
                 .asset = "goal",
                 .version = version,
                 .facts = {"film", "f1", second, 5 * second, second, {}, Exactness::pending},
                 .playlists = {{"", rough_multivariant(version)},
                               {broken ? "v720" : "v234", rough_segments()}},
                 .renditions = {{.name = "v234"}},
                 .holds = {{"film", "f1", {{"v234", 0, 2}}}}};
    clip.exact_version = exact;
    return catalog->make_clip(clip);
  }
  media::Job edges(const std::string& version = "x1") const {
    return {media::JobKind::edges, "demo", "goal", version};
  }
  std::string source() const { return store.source_path("demo", "goal", "x1"); }
  bool has_source() const { return std::filesystem::exists(source()); }
  std::filesystem::path last_segment() const {
    return store.media_path("demo", "film", "f1", "v234/2.m4s");
  }
  Asset goal() const { return **catalog->asset("demo", "goal"); }

  /// What begin() says when this happens while it reads the source's last segment.
  Result<void> begin_during(const std::function<void()>& change) {
    std::filesystem::remove(last_segment());
    EXPECT_EQ(::mkfifo(last_segment().c_str(), 0600), 0);
    Result<void> begun;
    std::thread beginner([&] { begun = ingest->begin(edges()); });
    int fd = -1;
    auto is_read = [&] {
      fd = ::open(last_segment().c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
      return fd >= 0;
    };
    EXPECT_TRUE(tests::eventually(is_read));
    change();
    EXPECT_EQ(::write(fd, "2.m4s", 5), 5);
    ::close(fd);
    beginner.join();
    return begun;
  }

  tests::TemporaryFolder folder;
  Metrics metrics;
  net::asio::io_context idle;
  std::unique_ptr<Catalog> catalog = std::move(*Catalog::open(folder / "catalog"));
  SegmentStore store = std::move(*SegmentStore::open(folder.path()));
  Announcer announcer{metrics};
  net::Blocking blocking{1};
  std::optional<Ingest> ingest;
  bool broken = false;  // clips from now on: without the playlist of their rendition
};

TEST_F(ClipJobTest, ItsSourceIsTheSegmentsAtBothEnds) {
  auto begun = ingest->begin(edges());
  ASSERT_TRUE(begun) << begun.error().message;
  EXPECT_EQ(*store::read_file(source()), "init.mp40.m4sinit.mp42.m4s");
  media::Job job = edges();
  ASSERT_TRUE(ingest->add_published(job));
  ASSERT_EQ(job.edges->renditions.size(), 1u);
  EXPECT_EQ(job.edges->renditions[0].pieces[1].offset, 13u);
}

TEST_F(ClipJobTest, ItsSourceGoesWhenItEnds) {
  ASSERT_TRUE(ingest->begin(edges()));
  ASSERT_TRUE(has_source());
  auto settled = ingest->settle(edges(), {.ready = true});
  ASSERT_TRUE(settled) << settled.error().message;
  EXPECT_EQ(goal().current_version, "x1");
  EXPECT_FALSE(has_source());
}

TEST_F(ClipJobTest, ItsSourceGoesWhenTheClipIsGoneAtItsEnd) {
  ASSERT_TRUE(ingest->begin(edges()));
  ASSERT_TRUE(make("r2", "x2"));
  EXPECT_EQ(ingest->settle(edges(), {.ready = true}).error().kind, ErrorKind::not_found);
  EXPECT_FALSE(has_source());
}

TEST_F(ClipJobTest, NoSourceIsLeftOfOneThatIsSupersededWhileItBegins) {
  auto begun = begin_during([&] { ASSERT_TRUE(make("r2", "x2")); });
  ASSERT_FALSE(begun);
  EXPECT_EQ(begun.error().kind, ErrorKind::not_found);
  EXPECT_FALSE(has_source());
}

TEST_F(ClipJobTest, NoSourceIsLeftOfOneThatIsDeletedWhileItBegins) {
  auto begun = begin_during([&] {
    ASSERT_TRUE(*catalog->remove("demo", "goal"));
    store.remove_asset("demo", "goal");
  });
  ASSERT_FALSE(begun);
  EXPECT_EQ(begun.error().kind, ErrorKind::not_found);
  EXPECT_FALSE(has_source());
}

TEST_F(ClipJobTest, ASegmentOfAnotherSizeIsNotCut) {
  ASSERT_TRUE(store.put_media("demo", "film", "f1", "v234/0.m4s", "0.m4"));
  EXPECT_EQ(ingest->begin(edges()).error().kind, ErrorKind::not_found) << "it is over";
  EXPECT_FALSE(has_source());
  EXPECT_EQ(goal().clip->exactness, Exactness::rough);
  EXPECT_EQ(goal().clip->exact_error,
            "a segment of the clip's source is damaged: it has another size");
}

TEST_F(ClipJobTest, ADiskWithoutRoomIsTriedAgainAndNotTold) {
  Ingest full(*catalog, store, announcer, blocking, metrics, {.free_space_min = 1ull << 62});
  auto begun = full.begin(edges());
  ASSERT_FALSE(begun);
  EXPECT_EQ(begun.error().kind, ErrorKind::no_space);
  EXPECT_EQ(begun.error().message, "the clip's ends cannot be prepared now");
  EXPECT_FALSE(has_source());
  EXPECT_EQ(goal().clip->exactness, Exactness::pending);
  EXPECT_TRUE(ingest->begin(edges())) << "later";
}

TEST_F(ClipJobTest, AFaultOfTheDiskIsNotTold) {
  std::filesystem::remove(last_segment());
  std::filesystem::create_directory(last_segment());
  auto begun = ingest->begin(edges());
  ASSERT_FALSE(begun);
  EXPECT_EQ(begun.error().message, "the clip's ends cannot be prepared now");
  EXPECT_EQ(goal().clip->exactness, Exactness::pending);
  EXPECT_TRUE(std::filesystem::is_empty(folder / "incoming"));
}

TEST_F(ClipJobTest, WhatCannotBePlannedIsGivenUp) {
  media::Job other = edges("x2");
  broken = true;
  ASSERT_TRUE(make("r2", "x2"));
  EXPECT_EQ(ingest->begin(other).error().kind, ErrorKind::not_found) << "it is over";
  EXPECT_EQ(goal().clip->exactness, Exactness::rough);
  EXPECT_EQ(goal().clip->exact_error, "its ends could not be prepared");
  EXPECT_TRUE(catalog->unfinished()->size() == 1) << "the video";
}

}  // namespace
}  // namespace relay::origin
