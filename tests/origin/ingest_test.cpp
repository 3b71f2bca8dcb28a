// A job's connection and what viewers get of it: the ingest handler on one end of a socketpair,
// the delivery on a port.
#include "origin/ingest.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <zlib.h>

#include <fmt/format.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "common/base/hash.hpp"
#include "common/http/gzip.hpp"
#include "common/http/repr_digest.hpp"
#include "common/net/server.hpp"
#include "origin/announce.hpp"
#include "origin/catalog.hpp"
#include "origin/delivery.hpp"
#include "origin/downloads.hpp"
#include "origin/live_keeper.hpp"
#include "origin/segment_store.hpp"
#include "tests/support/tcp_peer.hpp"
#include "tests/support/temporary_folder.hpp"

namespace relay::origin {
namespace {

struct Heard final : jobs::Observer {
  std::atomic<int> signs{0}, publications{0}, results{0};
  void on_sign_of_life() override { ++signs; }
  void on_published() override { ++publications; }
  void on_result(const media::JobResult& result) override { results += result.ready ? 1 : 100; }
};

class Viewers final : public net::Handler {
 public:
  explicit Viewers(Delivery delivery) : delivery_(delivery) {}
  net::Task<void> handle(net::Exchange& exchange) override {
    co_await delivery_.answer(exchange, std::string(exchange.request().target));
  }

 private:
  Delivery delivery_;
};

constexpr const char* media_playlist =
    "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:6\n#EXT-X-MEDIA-SEQUENCE:0\n"
    "#EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-MAP:URI=\"init.mp4\"\n"
    "#EXTINF:2.000000,\n0.m4s\n";
constexpr const char* multivariant =
    "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n"
    "#EXT-X-STREAM-INF:BANDWIDTH=100000,AVERAGE-BANDWIDTH=90000,CODECS=\"avc1.64001f\","
    "RESOLUTION=320x180,FRAME-RATE=25.000\nv180/index.m3u8\n";

constexpr const char* rough_multivariant =
    "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n"
    "#EXT-X-STREAM-INF:BANDWIDTH=100000,AVERAGE-BANDWIDTH=90000,CODECS=\"avc1.64001f\","
    "RESOLUTION=320x180,FRAME-RATE=25.000\nr1/v180/index.m3u8\n";
constexpr const char* rough_segments =
    "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:6\n#EXT-X-MEDIA-SEQUENCE:0\n"
    "#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-INDEPENDENT-SEGMENTS\n"
    "#EXT-X-MAP:URI=\"../../../film/f1/v180/init.mp4\"\n"
    "#EXTINF:2.000000,\n../../../film/f1/v180/0.m4s\n#EXT-X-ENDLIST\n";

class IngestTest : public testing::Test {
 protected:
  IngestTest() {
    catalog = std::move(*Catalog::open(folder / "catalog"));
    store.emplace(std::move(*SegmentStore::open(folder.path())));
    announcer.start(io(), {});
    ingest.emplace(*catalog, *store, announcer, blocking, metrics, IngestOptions{1 << 20});
    keeper.emplace(*catalog, *store, announcer);
    channels.emplace(blocking, *keeper, *ingest, metrics, live::LiveSettings{},
                     jobs::JobSettings{});
    live_delivery.emplace(*channels, *keeper);
    downloads.emplace(*catalog, *store, blocking);
    viewers.emplace(Delivery(*catalog, *store, *live_delivery, *downloads));
    net::ServerOptions options;
    options.listens = {{"127.0.0.1:0", &*viewers}};
    server.emplace(std::move(options));
    thread = std::thread([this] { server->run([] {}); });
  }
  ~IngestTest() override {
    connection.reset();
    announcer.stop();
    server->stop();
    thread.join();
    idle.run();
  }
  // The lines of the announcer are none here; its context never runs while the test does.
  net::asio::io_context& io() { return idle; }

  void start_job(media::JobKind kind) {
    AssetKind asset = kind == media::JobKind::video ? AssetKind::video : AssetKind::photo;
    auto accepted = catalog->accept({"demo", "a", "v1", asset, {}, {}, "x", 1});
    ASSERT_TRUE(accepted);
    job = {kind, "demo", "a", "v1"};
    ASSERT_TRUE(ingest->begin(job));
    connect();
  }

  /// The clip "goal", whose exact version "x1" its job has published and not yet ended.
  void start_edges() {
    ASSERT_TRUE(catalog->accept({"demo", "film", "f1", AssetKind::video, {}, {}, "x", 1}));
    NewClip clip{.tenant = "demo",
                 .asset = "goal",
                 .version = "r1",
                 .facts = {"film", "f1", 0, 2'000'000, 0, {}, Exactness::pending},
                 .playlists = {{"", rough_multivariant}, {"v180", rough_segments}},
                 .holds = {{"film", "f1", {{"v180", 0, 0}}}},
                 .exact_version = "x1"};
    ASSERT_TRUE(catalog->make_clip(clip));
    job = {media::JobKind::edges, "demo", "goal", "x1"};
    connect();
    ASSERT_EQ(put("/media/v180/init.mp4", "init"), 204);
    ASSERT_EQ(put("/media/v180/0.m4s", "0123456789"), 204);
    ASSERT_EQ(put("/media/v180/index.m3u8", std::string(media_playlist) + "#EXT-X-ENDLIST\n"), 204);
  }

  void connect() {
    handler = ingest->for_job(job, heard);
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    connection.emplace(ends[0]);
    net::asio::io_context& worker = *server->workers().front();
    net::asio::post(worker, [this, &worker, fd = ends[1]] {
      net::serve_connected(worker, fd, *handler, [] {});
    });
  }

  /// The status line's number, after the whole answer was read.
  int put(const std::string& target, const std::string& body, std::string digest_of = "") {
    std::string digest = http::write_repr_digest(digest128(digest_of.empty() ? body : digest_of));
    connection->send(
        fmt::format("PUT {} HTTP/1.1\r\nHost: origin\r\nContent-Length: {}\r\nRepr-Digest: {}\r\n"
                    "\r\n{}",
                    target, body.size(), digest, body));
    std::string head = connection->read_until("\r\n\r\n");
    if (std::size_t at = head.find("Content-Length: "); at != head.npos) {
      std::size_t length = std::stoul(head.substr(at + 16));
      if (length > 0) reason = connection->read_until("}\n");
    }
    return head.size() > 12 ? std::stoi(head.substr(9, 3)) : 0;
  }

  std::string get(const std::string& path, const std::string& fields = "",
                  const char* method = "GET") {
    auto peer = tests::TcpPeer::connect(server->ports().front());
    peer.send(fmt::format("{} {} HTTP/1.1\r\nHost: o\r\nConnection: close\r\n{}\r\n", method, path,
                          fields));
    return peer.read_to_end();
  }

  void publish_video() {
    start_job(media::JobKind::video);
    ASSERT_EQ(put("/media/v180/init.mp4", "init"), 204);
    ASSERT_EQ(put("/media/v180/0.m4s", "0123456789"), 204);
    ASSERT_EQ(put("/media/v180/index.m3u8", media_playlist), 204);
    ASSERT_EQ(put("/media/index.m3u8", multivariant), 204);
  }

  tests::TemporaryFolder folder;
  Metrics metrics;
  net::asio::io_context idle;
  std::unique_ptr<Catalog> catalog;
  std::optional<SegmentStore> store;
  Announcer announcer{metrics};
  net::Blocking blocking{2};
  std::optional<Ingest> ingest;
  Heard heard;
  media::Job job;
  std::unique_ptr<net::Handler> handler;
  std::optional<LiveKeeper> keeper;
  std::optional<live::Channels> channels;
  std::optional<LiveDelivery> live_delivery;
  std::optional<Downloads> downloads;
  std::optional<Viewers> viewers;
  std::optional<net::Server> server;
  std::thread thread;
  std::optional<tests::TcpPeer> connection;
  std::string reason;
};

TEST_F(IngestTest, TheBytesOfASegmentMustMatchTheirDigest) {
  start_job(media::JobKind::video);
  EXPECT_EQ(put("/media/v180/0.m4s", "bytes", "other bytes"), 400);
  EXPECT_FALSE(*catalog->object("demo", "a", "v1", "v180/0.m4s"));
  EXPECT_EQ(put("/media/v180/0.m4s", "bytes"), 204);
  EXPECT_EQ(put("/media/v180/0.m4s", "bytes"), 204) << "the same again is fine";
  EXPECT_EQ(put("/media/v180/0.m4s", "other"), 409);
  EXPECT_EQ(*store::read_file(store->media_path("demo", "a", "v1", "v180/0.m4s")), "bytes");
}

TEST_F(IngestTest, NothingIsKeptOfAJobThatWasDropped) {
  start_job(media::JobKind::video);
  ASSERT_EQ(put("/media/v180/0.m4s", "bytes"), 204);
  ASSERT_TRUE(catalog->accept({"demo", "a", "v2", AssetKind::video, {}, {}, "y", 1}));
  EXPECT_EQ(put("/media/v180/1.m4s", "bytes"), 404);
  EXPECT_FALSE(std::filesystem::exists(store->media_path("demo", "a", "v1", "v180/1.m4s")));
  EXPECT_EQ(put("/media/v180/0.m4s", "bytes"), 204);
  EXPECT_TRUE(std::filesystem::exists(store->media_path("demo", "a", "v1", "v180/0.m4s")))
      << "it is in the catalog, for whoever plays this version";
  ASSERT_TRUE(*catalog->remove("demo", "a"));
  store->remove_asset("demo", "a");
  EXPECT_EQ(put("/media/v180/2.m4s", "bytes"), 404);
  EXPECT_FALSE(std::filesystem::exists(store->media_path("demo", "a", "v1", "v180/2.m4s")));
}

TEST_F(IngestTest, OnlyNamesThatCanBeServedAreTaken) {
  start_job(media::JobKind::video);
  for (const char* name : {"../x/0.m4s", "v180/a.txt", "0.m4s", "v180/00.m4s", "w320.jpg", "",
                           "v180/../v180/0.m4s", "v180//0.m4s"}) {
    EXPECT_EQ(put(std::string("/media/") + name, "bytes"), 400) << name;
  }
}

TEST_F(IngestTest, APlaylistNamesOnlyWhatIsStored) {
  start_job(media::JobKind::video);
  EXPECT_EQ(put("/media/index.m3u8", multivariant), 409);
  ASSERT_EQ(put("/media/v180/init.mp4", "init"), 204);
  EXPECT_EQ(put("/media/v180/index.m3u8", media_playlist), 409);
  EXPECT_TRUE(reason.contains("0.m4s")) << reason;
  EXPECT_TRUE(get("/demo/a/index.m3u8").starts_with("HTTP/1.1 404"));
}

TEST_F(IngestTest, ProgressAndResultReachTheObserver) {
  start_job(media::JobKind::video);
  EXPECT_EQ(put("/progress", "{\"fraction\":0.5,\"stage\":\"encoding\"}"), 204);
  EXPECT_EQ(catalog->progress("demo", "a")->fraction, 0.5);
  EXPECT_EQ(put("/progress", "nonsense"), 400);
  EXPECT_EQ(put("/result", media::to_json(media::JobResult{.ready = true})), 204);
  EXPECT_EQ(heard.results, 1);
  EXPECT_EQ(heard.signs, 2);
}

TEST_F(IngestTest, PlayableAsSoonAsTheMultivariantIsThere) {
  publish_video();
  std::string main = get("/demo/a/index.m3u8");
  EXPECT_TRUE(main.starts_with("HTTP/1.1 200")) << main;
  EXPECT_TRUE(main.contains("\nv1/v180/index.m3u8\n")) << main;
  EXPECT_TRUE(main.contains("Cache-Control: public, max-age=1\r\n"));
  EXPECT_TRUE(main.contains("Content-Type: application/vnd.apple.mpegurl\r\n"));
  EXPECT_TRUE(main.contains("Access-Control-Allow-Origin: *\r\n"));
  std::string media = get("/demo/a/v1/v180/index.m3u8");
  EXPECT_TRUE(media.ends_with(media_playlist));
  media::Job next = job;
  ASSERT_TRUE(ingest->add_published(next));
  EXPECT_EQ(next.published.at(0).playlist, media_playlist);
  EXPECT_TRUE(next.multivariant.contains("\nv1/v180/index.m3u8\n")) << next.multivariant;
}

TEST_F(IngestTest, SettlingNeedsEveryRenditionToBeWhole) {
  publish_video();
  ASSERT_TRUE(ingest->settle(job, {.ready = true}));
  auto asset = catalog->asset("demo", "a");
  EXPECT_EQ((*asset)->state, AssetState::failed);
  EXPECT_TRUE((*asset)->error.contains("v180")) << (*asset)->error;
  EXPECT_TRUE(get("/demo/a/index.m3u8").starts_with("HTTP/1.1 404"));
}

TEST_F(IngestTest, AnEndedVideoMayBeKept) {
  publish_video();
  ASSERT_EQ(put("/media/v180/index.m3u8", std::string(media_playlist) + "#EXT-X-ENDLIST\n"), 204);
  ASSERT_EQ(put("/media/v180/index.m3u8", media_playlist), 409) << "nothing is taken back";
  ASSERT_TRUE(ingest->settle(job, {.ready = true, .duration_ms = 2000}));
  EXPECT_EQ((*catalog->asset("demo", "a"))->state, AssetState::ready);
  EXPECT_TRUE(get("/demo/a/v1/v180/index.m3u8").contains("max-age=3600"));
  EXPECT_TRUE(get("/demo/a/index.m3u8").contains("stale-while-revalidate"));
}

TEST_F(IngestTest, SegmentsAreImmutableAndHaveRanges) {
  publish_video();
  std::string path = "/demo/a/v1/v180/0.m4s";
  std::string whole = get(path);
  EXPECT_TRUE(whole.starts_with("HTTP/1.1 200"));
  EXPECT_TRUE(whole.ends_with("\r\n\r\n0123456789"));
  EXPECT_TRUE(whole.contains("Cache-Control: public, max-age=31536000, immutable\r\n"));
  EXPECT_TRUE(whole.contains("Content-Type: video/iso.segment\r\n"));
  std::string tag = "\"" + to_hex(digest128("0123456789")) + "\"";
  EXPECT_TRUE(whole.contains("ETag: " + tag + "\r\n"));
  EXPECT_TRUE(whole.contains("Repr-Digest: " + http::write_repr_digest(digest128("0123456789"))));
  std::string part = get(path, "Range: bytes=2-4\r\n");
  EXPECT_TRUE(part.starts_with("HTTP/1.1 206"));
  EXPECT_TRUE(part.contains("Content-Range: bytes 2-4/10\r\n"));
  EXPECT_TRUE(part.ends_with("\r\n\r\n234"));
  std::string several = get(path, "Range: bytes=0-0,8-\r\n");
  EXPECT_TRUE(several.contains("multipart/byteranges"));
  EXPECT_TRUE(several.contains("Content-Range: bytes 8-9/10\r\n\r\n89\r\n"));
  std::string beyond = get(path, "Range: bytes=10-\r\n");
  EXPECT_TRUE(beyond.starts_with("HTTP/1.1 416"));
  EXPECT_TRUE(beyond.contains("Content-Range: bytes */10\r\n"));
  EXPECT_TRUE(get(path, "Range: bytes=2-4\r\nIf-Range: \"old\"\r\n").starts_with("HTTP/1.1 200"));
  EXPECT_TRUE(get(path, "If-None-Match: " + tag + "\r\n").starts_with("HTTP/1.1 304"));
  EXPECT_TRUE(get(path, "If-Match: \"old\"\r\n").starts_with("HTTP/1.1 412"));
  std::string head = get(path, "", "HEAD");
  EXPECT_TRUE(head.contains("Content-Length: 10\r\n"));
  EXPECT_TRUE(head.ends_with("\r\n\r\n"));
}

TEST_F(IngestTest, PlaylistsArePackedForThoseWhoUnpack) {
  publish_video();
  std::string path = "/demo/a/v1/v180/index.m3u8";
  std::string packed = get(path, "Accept-Encoding: gzip\r\n");
  EXPECT_TRUE(packed.contains("Content-Encoding: gzip\r\n"));
  EXPECT_TRUE(packed.contains("Vary: Accept-Encoding\r\n"));
  EXPECT_TRUE(packed.contains("-gzip\"\r\n")) << "its own strong ETag";
  EXPECT_TRUE(packed.ends_with(http::gzip(media_playlist)));
  std::string plain = get(path);
  EXPECT_TRUE(plain.contains("Vary: Accept-Encoding\r\n"));
  EXPECT_FALSE(plain.contains("Content-Encoding"));
}

TEST_F(IngestTest, PhotosAreChosenByAccept) {
  start_job(media::JobKind::photo);
  ASSERT_EQ(put("/media/w320.jpg", "jpeg bytes"), 204);
  ASSERT_EQ(put("/media/w320.webp", "webp bytes"), 204);
  EXPECT_TRUE(get("/demo/a/w320.jpg").starts_with("HTTP/1.1 404")) << "not settled yet";
  ASSERT_TRUE(ingest->settle(job, {.ready = true, .photo_widths = {320}}));
  EXPECT_TRUE(get("/demo/a/w320.jpg").ends_with("\r\n\r\njpeg bytes"));
  std::string webp = get("/demo/a/w320", "Accept: image/webp,*/*\r\n");
  EXPECT_TRUE(webp.ends_with("\r\n\r\nwebp bytes"));
  EXPECT_TRUE(webp.contains("Vary: Accept\r\n"));
  EXPECT_TRUE(webp.contains("Content-Type: image/webp\r\n"));
  EXPECT_TRUE(get("/demo/a/w320", "Accept: */*\r\n").ends_with("\r\n\r\njpeg bytes"));
  std::string unknown = get("/demo/a/w640.jpg");
  EXPECT_TRUE(unknown.starts_with("HTTP/1.1 404"));
  EXPECT_TRUE(unknown.contains("w320")) << unknown;
}

TEST_F(IngestTest, TheEdgesOfAClipDoNotSwitchItByThemselves) {
  start_edges();
  EXPECT_EQ(put("/media/index.m3u8", multivariant), 400);
  EXPECT_TRUE(reason.contains("edges")) << reason;
  EXPECT_EQ((*catalog->asset("demo", "goal"))->current_version, "r1");
}

TEST_F(IngestTest, TheEdgesOfAClipAreSeenAtItsEnd) {
  start_edges();
  EXPECT_TRUE(get("/demo/goal/r1/v180/index.m3u8").starts_with("HTTP/1.1 200"));
  for (const char* name : {"index.m3u8", "iframes.m3u8"}) {
    std::string early = get(std::string("/demo/goal/x1/v180/") + name);
    EXPECT_TRUE(early.starts_with("HTTP/1.1 404")) << early;
    EXPECT_TRUE(early.contains("max-age=1\r\n")) << early;
  }
  ASSERT_TRUE(ingest->settle(job, {.ready = true}));
  std::string ended = get("/demo/goal/x1/v180/index.m3u8");
  EXPECT_TRUE(ended.starts_with("HTTP/1.1 200")) << ended;
  EXPECT_TRUE(ended.contains("max-age=3600")) << ended;
}

TEST_F(IngestTest, MediaCanOnlyBeRead) {
  publish_video();
  EXPECT_TRUE(get("/demo/a/index.m3u8", "", "DELETE").starts_with("HTTP/1.1 405"));
  std::string preflight = get("/demo/a/index.m3u8", "", "OPTIONS");
  EXPECT_TRUE(preflight.starts_with("HTTP/1.1 204"));
  EXPECT_TRUE(preflight.contains("Access-Control-Allow-Methods: GET, HEAD, OPTIONS\r\n"));
  EXPECT_TRUE(get("/demo/a/v1/v180/7.m4s").contains("max-age=1\r\n"));
}

TEST(Gzip, GivesBackTheTextAndTheSameBytesEachTime) {
  std::string text(100000, 'a'), packed = http::gzip(text), out(text.size() + 1, '\0');
  EXPECT_EQ(packed, http::gzip(text));
  z_stream stream{};
  ASSERT_EQ(inflateInit2(&stream, 31), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  inflateEnd(&stream);
  EXPECT_EQ(out.substr(0, stream.total_out), text);
}

}  // namespace
}  // namespace relay::origin
