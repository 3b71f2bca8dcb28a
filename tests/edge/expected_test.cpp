// Fills under way find room made for them when they are whole, and no more is evicted for those
// that never come to an end.
#include "edge/cache/expected.hpp"

#include <gtest/gtest.h>

#include "edge/cache/budget.hpp"
#include "edge/cache/cache.hpp"
#include "tests/support/cache_bodies.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/temporary_folder.hpp"

namespace relay::edge::cache {
namespace {

using tests::body_of;
using tests::eventually;
using tests::new_object;

constexpr std::uint64_t size_bytes = 64 << 20;
constexpr std::size_t body_bytes = 131'056;  // one run of 32 pages
constexpr int crowd = 30;                    // of fills at once, a little less than is kept free

TEST(Expected, MostOfTheSizeIsForWhatIsHere) {
  Budget budget(1600);
  budget.store(ShelfName::medium, 1480);
  budget.expect(50);
  EXPECT_TRUE(budget.has_headroom());
  budget.bury(ShelfName::medium, 80);
  budget.expect(5000);
  EXPECT_EQ(budget.expected(), 100u);
  EXPECT_TRUE(budget.has_headroom()) << "what is buried is on its way out";
  EXPECT_FALSE(budget.fits(ShelfName::medium, 150)) << "but is not out yet";
  budget.store(ShelfName::medium, 101);
  EXPECT_FALSE(budget.has_headroom());
}

TEST(Expected, CountsUntilItIsOver) {
  auto total = std::make_shared<std::atomic<std::uint64_t>>(0);
  {
    Expected one(total), other;
    one.raise(100);
    EXPECT_GE(*total, 4096u) << "in pages";
    one.raise(100'000);
    std::uint64_t all = *total;
    EXPECT_GE(all, 100'000u);
    other = std::move(one);
    Expected third(std::move(other));
    one.raise(5'000'000);
    EXPECT_EQ(*total, all) << "it expects nothing any more";
  }
  EXPECT_EQ(*total, 0u);
}

struct ExpectedTest : testing::Test {
  void SetUp() override {
    auto opened = Cache::open({folder.path().string(), size_bytes}, metrics);
    ASSERT_TRUE(opened);
    cache = std::move(*opened);
    while (cache->stats().evictions == 0) store(1);
  }
  void store(int count) {
    for (int i = 0; i < count; ++i) {
      NewObject object = new_object("k" + std::to_string(next++), body_of(body_bytes, 1));
      object.awaited = true;
      cache->store(std::move(object), [](bool) {});
    }
    cache->wait_until_answered();
  }
  std::vector<Expected> expect(int count) {
    std::vector<Expected> fills;
    for (int i = 0; i < count; ++i) fills.push_back(cache->expect());
    for (Expected& each : fills) each.raise(body_bytes);
    return fills;
  }
  std::uint64_t free_bytes() const { return size_bytes - cache->stats().stored_bytes; }

  tests::TemporaryFolder folder;
  Metrics metrics;
  std::unique_ptr<Cache> cache;
  int next = 0;
};

TEST_F(ExpectedTest, RoomIsMadeBeforeABodyIsWhole) {
  auto fills = expect(crowd);
  EXPECT_TRUE(eventually([&] { return free_bytes() >= crowd * body_bytes; }));
  fills.clear();
  std::uint64_t evictions = cache->stats().evictions;
  store(crowd);
  EXPECT_EQ(cache->stats().evictions, evictions) << "they came into the room that was made";
}

TEST_F(ExpectedTest, NothingMoreIsEvictedForAFillThanItIsLarge) {
  std::uint64_t evictions = cache->stats().evictions;
  for (int i = 0; i < 20; ++i) {
    auto fills = expect(crowd);  // and break off
    ASSERT_TRUE(eventually([&] { return free_bytes() >= crowd * body_bytes; }));
  }
  EXPECT_LE(cache->stats().evictions - evictions, crowd + 1u);
}

}  // namespace
}  // namespace relay::edge::cache
