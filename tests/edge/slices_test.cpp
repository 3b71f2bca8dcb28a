// A slice that too many wait for: what the process tests cannot bring together.
#include "edge/slices.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "common/base/limits.hpp"
#include "common/net/server.hpp"
#include "tests/support/tcp_peer.hpp"
#include "tests/support/temporary_folder.hpp"

namespace relay::edge {
namespace {

constexpr std::uint64_t slice_bytes = 1000, slices = 40;

StoredPtr large_head() {
  std::vector<http::Field> fields = {{"Accept-Ranges", "bytes"}, {"ETag", "\"a\""}};
  StoredResponse stored = make_stored(200, fields, WallTime{}, WallTime{});
  stored.sliced_bytes = slices * slice_bytes;
  return std::make_shared<const StoredResponse>(std::move(stored));
}

Settings settings_for(unsigned short origin_port) {
  Settings settings;
  settings.slice_bytes = slice_bytes;
  settings.upstreams = {{"http://127.0.0.1:" + std::to_string(origin_port)}};
  return settings;
}

/// Answers every request with the large body.
class Room final : public net::Handler {
 public:
  explicit Room(unsigned short origin_port) : settings(settings_for(origin_port)) {}

  net::Task<void> handle(net::Exchange& exchange) override {
    EdgeWorker worker(exchange.io());
    Visit visit(exchange, worker);
    FillRequest request{.primary_key = "/big", .target = "/big"};
    served = co_await body_slices.serve(visit, body_slices.body_of("/big", head, request));
    if (!served) co_await exchange.respond({503, {}, "refused"});
  }

  const StoredPtr head = large_head();
  Result<void> served;
  const Settings settings;
  FlightTable flights;

 private:
  tests::TemporaryFolder folder_;
  Metrics metrics_;
  LiveValues live_{settings.live};
  std::unique_ptr<cache::Cache> cache_ =
      cache::Cache::open({.path = folder_.path()}, metrics_).value();
  net::Blocking blocking_{1};
  fleet::Members members_{"edge-1", {}, std::chrono::milliseconds(1000)};
  const fleet::PeerKey key_{""};
  PurgeLog purges_{false};
  ChangeCounts changes_;
  Absences absences_;
  FlightMemory memory_{1 << 30};
  Lookup lookup_{*cache_, purges_, blocking_};
  Upstream upstream_{settings, members_, key_, changes_, metrics_};
  Deliver deliver_{"edge-1", blocking_};
  MediaSense sense_{*cache_, blocking_, false, metrics_};
  Fill fill_{settings, live_,   *cache_,   absences_, flights,
             memory_,  purges_, upstream_, sense_,    metrics_};

 public:
  Slices body_slices{settings, *cache_,   lookup_,  flights, memory_,
                     purges_,  upstream_, deliver_, fill_,   metrics_};
};

TEST(Slices, with_too_many_who_wait_for_a_slice_upstream_is_not_asked_for_the_rest) {
  std::atomic<int> asked{0};
  tests::TcpOrigin origin([&](tests::TcpPeer&) { ++asked; });
  FlightMemory elsewhere(1 << 30);  // outlives the flights, which give it back
  Room room(origin.port());
  std::vector<FlightTable::Joined> waiting;
  while (waiting.size() < limits::waiters_max) {
    std::string key = slice_key("/big", *room.head, slice_bytes, 0);
    waiting.push_back(room.flights.join(key, 0, elsewhere));
  }
  net::Server server({.listens = {{"127.0.0.1:0", &room}}});
  std::thread thread([&] { server.run({}); });
  tests::TcpPeer client = tests::TcpPeer::connect(server.ports().front());
  client.send("GET /big HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(client.read_to_end().starts_with("HTTP/1.1 503"));
  server.stop();
  thread.join();
  ASSERT_FALSE(room.served);
  EXPECT_EQ(room.served.error().source, ErrorSource::internal);
  EXPECT_EQ(asked, 0);
}

}  // namespace
}  // namespace relay::edge
