// A request that finds its body on the way into the store waits for it, and for nothing else.
#include "edge/store_wait.hpp"

#include <gtest/gtest.h>

#include <future>
#include <utility>

#include "tests/support/cache_bodies.hpp"
#include "tests/support/temporary_folder.hpp"

namespace relay::edge {
namespace {

net::Task<void> answer_into(cache::Cache& cache, std::vector<std::string> keys, bool& answered) {
  answered = co_await store_answered(cache, std::move(keys));
}

bool waits_for(cache::Cache& cache, std::vector<std::string> keys) {
  bool answered = false;
  net::asio::io_context io(1);
  net::spawn(io, answer_into(cache, std::move(keys), answered));
  io.run();
  return answered;
}

/// A cache whose store thread stands still until go_on(), as it does in a write to a slow disk.
struct StandingCache {
  StandingCache() {
    opened->when_answered([this] {
      stands.set_value();
      goes_on.get_future().wait();
    });
    stands.get_future().wait();
  }
  ~StandingCache() { go_on(); }
  void go_on() {
    if (!std::exchange(gone_on, true)) goes_on.set_value();
  }
  std::promise<void> stands, goes_on;
  bool gone_on = false;
  tests::TemporaryFolder folder;
  Metrics metrics;
  std::unique_ptr<cache::Cache> opened =
      cache::Cache::open({.path = folder.path()}, metrics).value();
};

TEST(StoreWait, ABodyThatIsBeingStoredIsWaitedFor) {
  StandingCache standing;
  cache::Cache& cache = *standing.opened;
  cache.store(tests::new_object("/a", tests::body_of(1000, 1)), [](bool) {});
  ASSERT_FALSE(cache.has("/a"));
  bool answered = false;
  net::asio::io_context io(1);
  net::spawn(io, answer_into(cache, {"/b", "/a"}, answered));
  io.poll();  // until it waits
  EXPECT_FALSE(answered);
  standing.go_on();
  io.run();
  EXPECT_TRUE(answered);
  EXPECT_TRUE(cache.has("/a"));
  EXPECT_FALSE(waits_for(cache, {"/a"})) << "it has had its answer";
}

TEST(StoreWait, NobodyWaitsForOtherKeys) {
  StandingCache standing;
  cache::Cache& cache = *standing.opened;
  cache.store(tests::new_object("/a", tests::body_of(1000, 1)), [](bool) {});
  EXPECT_FALSE(waits_for(cache, {"/b"}));
}

TEST(StoreWait, ItEndsWhileTheDiskStandsStill) {
  StandingCache standing;
  cache::Cache& cache = *standing.opened;
  cache.store(tests::new_object("/a", tests::body_of(1000, 1)), [](bool) {});
  bool answered = true;
  net::asio::io_context io(1);
  net::spawn(io, answer_into(cache, {"/a"}, answered));
  // What the store thread still holds counts as work of this loop, so it runs until then.
  while (answered && io.run_one() > 0) {
  }
  EXPECT_FALSE(answered);
  standing.go_on();
  io.run();
}

}  // namespace
}  // namespace relay::edge
