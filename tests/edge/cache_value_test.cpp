// What an object counts in the eviction order of a real cache, and what is taken into a full one.
#include <gtest/gtest.h>

#include "edge/cache/cache.hpp"
#include "tests/support/cache_bodies.hpp"
#include "tests/support/temporary_folder.hpp"

namespace relay::edge::cache {
namespace {

using tests::body_of;
using tests::new_object;
using tests::store_now;

struct CacheValueTest : testing::Test {
  void open(std::uint64_t size_bytes) {
    auto opened = Cache::open({folder.path().string(), size_bytes}, metrics);
    ASSERT_TRUE(opened) << opened.error().message;
    cache = std::move(*opened);
  }
  bool store(const std::string& key, const std::string& body) {
    return store_now(*cache, new_object(key, body));
  }
  /// And asks for it again, so that it stays when it leaves the window.
  bool store_and_use(const std::string& key, const std::string& body) {
    return store(key, body) && cache->find(key);
  }

  tests::TemporaryFolder folder;
  Metrics metrics;
  std::unique_ptr<Cache> cache;
};

TEST_F(CacheValueTest, WhatIsOverLeavesFirstAndWhatIsWorthMoreLast) {
  constexpr std::size_t bytes = 500'000;
  open(16 << 20);
  auto key = [](int i) { return "k" + std::to_string(i); };
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(store(key(i), body_of(bytes, i)));
  cache->revalue({key(18), key(19), "not here"}, 0);
  cache->revalue({key(0)}, 100);
  EXPECT_TRUE(cache->has(key(18))) << "there is room for it";
  int next = 20;
  while (cache->has(key(18)) || cache->has(key(19))) {
    for (int i = 0; i < 18; ++i) ASSERT_TRUE(cache->has(key(i))) << i << " went before";
    ASSERT_TRUE(store(key(next), body_of(bytes, next)));
    ASSERT_LT(++next, 60) << "they do not leave";
  }
  for (; cache->has(key(17)); ++next) {
    ASSERT_TRUE(store_and_use(key(next), body_of(bytes, next)));
    ASSERT_LT(next, 200) << "it does not leave";
  }
  EXPECT_TRUE(cache->has(key(0)));
}

TEST_F(CacheValueTest, WhatIsAwaitedIsTakenWhateverItsWorth) {
  constexpr std::size_t bytes = 500'000;
  open(8 << 20);
  for (int i = 0; cache->stats().evictions == 0; ++i) {
    ASSERT_TRUE(store_and_use("k" + std::to_string(i), body_of(bytes, i)));
    ASSERT_LT(i, 60) << "it never fills";
  }
  auto worthless = [&] {
    auto object = new_object("worthless", body_of(bytes, 99));
    object.value = 0;
    return object;
  };
  EXPECT_FALSE(store_now(*cache, worthless()));
  auto awaited = worthless();
  awaited.awaited = true;
  EXPECT_TRUE(store_now(*cache, std::move(awaited)));
}

}  // namespace
}  // namespace relay::edge::cache
