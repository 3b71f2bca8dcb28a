#include "origin/announce.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "common/base/clock.hpp"
#include "tests/support/tcp_peer.hpp"

namespace relay::origin {
namespace {

using namespace std::chrono_literals;

/// An edge's admin port: answers with the statuses given, the last one again and again.
struct FakeEdge {
  explicit FakeEdge(std::vector<int> statuses)
      : statuses(std::move(statuses)), server([this](tests::TcpPeer& peer) { serve(peer); }) {}

  void serve(tests::TcpPeer& peer) {
    std::string head = peer.read_until("\r\n\r\n");
    if (head.empty()) return;
    std::string body = peer.read_until("}");
    std::lock_guard lock(mutex);
    heard.push_back(body);
    std::size_t at = std::min(heard.size(), statuses.size()) - 1;
    peer.send("HTTP/1.1 " + std::to_string(statuses[at]) +
              " X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  }
  std::vector<std::string> bodies() {
    std::lock_guard lock(mutex);
    return heard;
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(server.port()); }

  std::vector<int> statuses;
  std::mutex mutex;  // guards heard
  std::vector<std::string> heard;
  tests::TcpOrigin server;
};

/// An announcer with a worker of its own.
class AnnouncerTest : public testing::Test {
 protected:
  void start(const std::vector<std::string>& edges) {
    announcer.start(io, edges);
    thread = std::thread([this] {
      auto work = net::asio::make_work_guard(io);
      io.run();
    });
  }
  ~AnnouncerTest() override {
    announcer.stop();
    io.stop();
    if (thread.joinable()) thread.join();
  }
  net::Task<void> wait_for_receipts(std::string body, std::chrono::milliseconds wait) {
    receipts = co_await announcer.purge_and_wait(std::move(body), wait);
    done = true;
  }
  std::vector<Receipt> purge(const std::string& body, std::chrono::milliseconds wait) {
    net::spawn(io, wait_for_receipts(body, wait));
    while (!done) std::this_thread::yield();
    return receipts;
  }
  bool eventually(auto condition) {
    SteadyTime end = steady_now() + 10s;
    while (steady_now() < end) {
      if (condition()) return true;
      std::this_thread::yield();
    }
    return false;
  }

  Metrics metrics;
  net::asio::io_context io{1};
  Announcer announcer{metrics};
  std::thread thread;
  std::vector<Receipt> receipts;
  std::atomic<bool> done{false};
};

TEST_F(AnnouncerTest, EveryEdgeHearsAndConfirms) {
  FakeEdge one({200}), two({204});
  start({one.url(), two.url()});
  auto receipts = purge(purge_of_prefix("/demo/a/"), 10s);
  ASSERT_EQ(receipts.size(), 2u);
  for (const Receipt& receipt : receipts) EXPECT_TRUE(receipt.confirmed) << receipt.edge;
  EXPECT_EQ(one.bodies(), std::vector<std::string>{"{\"prefix\":\"/demo/a/\",\"scope\":\"edge\"}"});
  EXPECT_EQ(two.bodies(), one.bodies());
}

TEST_F(AnnouncerTest, AnEdgeThatFailsIsAskedAgainAndTheOthersDoNotWait) {
  FakeEdge good({200}), flaky({503, 200});
  start({good.url(), flaky.url()});
  announcer.purge(purge_of_url("/demo/a/index.m3u8"));
  announcer.purge(purge_of_url("/demo/b/index.m3u8"));
  EXPECT_TRUE(eventually([&] { return good.bodies().size() == 2; }));
  EXPECT_TRUE(eventually([&] { return flaky.bodies().size() == 3; }));
  auto heard = flaky.bodies();
  EXPECT_EQ(heard[0], heard[1]) << "repeated before the next";
  EXPECT_EQ(heard[2], "{\"url\":\"/demo/b/index.m3u8\",\"scope\":\"edge\"}");
}

TEST_F(AnnouncerTest, AnUnreachableEdgeIsNamedAsNotConfirmed) {
  FakeEdge good({200});
  start({good.url(), "http://127.0.0.1:1"});
  auto receipts = purge(purge_of_prefix("/demo/a/"), 300ms);
  ASSERT_EQ(receipts.size(), 2u);
  for (const Receipt& receipt : receipts) EXPECT_EQ(receipt.confirmed, receipt.edge == good.url());
}

TEST_F(AnnouncerTest, ReplacedEdgesHearNothingMore) {
  FakeEdge old({200}), now({200});
  start({old.url()});
  announcer.set_edges({now.url()});
  EXPECT_EQ(announcer.edges(), std::vector<std::string>{now.url()});
  announcer.purge(purge_of_url("/demo/a/index.m3u8"));
  EXPECT_TRUE(eventually([&] { return now.bodies().size() == 1; }));
  EXPECT_TRUE(old.bodies().empty());
}

}  // namespace
}  // namespace relay::origin
