// The cache's window. In memory: new bodies, their way on into the store or out, and that removals,
// renewed heads, budgets and a stop hold for them as for stored ones.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "edge/cache/cache.hpp"
#include "tests/support/cache_bodies.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/temporary_folder.hpp"

namespace relay::edge::cache {
namespace {

using namespace std::chrono_literals;
using tests::body_of;
using tests::bytes_of;
using tests::eventually;
using tests::new_object;
using tests::store_now;

constexpr std::uint64_t mib = 1 << 20;
constexpr std::size_t body_bytes = 300'000;

struct WindowTest : testing::Test {
  /// The first plan gives the window a tenth of the size.
  void open(std::uint64_t size_bytes = 64 * mib, std::uint64_t memory_bytes = 32 * mib) {
    cache.reset();
    auto opened = Cache::open(
        {.path = folder.path(), .size_bytes = size_bytes, .memory_bytes = memory_bytes}, metrics);
    ASSERT_TRUE(opened) << opened.error().message;
    cache = std::move(*opened);
  }
  bool store(int i) {
    return store_now(*cache, new_object(key_of(i), body_of(body_bytes, i), "head"));
  }
  static std::string key_of(int i) { return "k" + std::to_string(i); }
  void expect_right(const Pin& pin, int i) {
    ASSERT_TRUE(pin) << i;
    EXPECT_EQ(bytes_of(*pin), body_of(body_bytes, i)) << i;
  }
  /// Others, more than the window holds.
  void push_out() {
    for (int i = 1000; i < 1040; ++i) ASSERT_TRUE(store(i));
  }

  tests::TemporaryFolder folder;
  Metrics metrics;
  std::unique_ptr<Cache> cache;
};

TEST_F(WindowTest, ANewBodyIsFoundInMemoryAndNotWritten) {
  open();
  ASSERT_TRUE(store(1));
  Pin pin = cache->find("k1");
  expect_right(pin, 1);
  EXPECT_TRUE(pin->in_memory());
  EXPECT_EQ(pin->piece(0).fd, -1);
  EXPECT_TRUE(pin->known_good());
  EXPECT_EQ(cache->stats().stored_bytes, 0u);
  EXPECT_TRUE(eventually([&] { return cache->stats().objects == 1; }));
  EXPECT_TRUE(eventually([&] { return cache->stats().memory_bytes >= body_bytes; }));
}

TEST_F(WindowTest, WhatLeavesTheWindowIsFoundWithoutAGap) {
  open();
  ASSERT_TRUE(store(1));
  Pin in_memory = cache->find("k1");
  std::atomic<int> count = 2, gaps = 0;
  std::thread reader([&] {
    for (int at = 1; count < 100; at = at + 1 < count ? at + 1 : 1)
      gaps += !cache->find(key_of(at));
  });
  for (int i = 2; i < 100; ++i) {
    EXPECT_TRUE(store(i));
    count = i + 1;
  }
  reader.join();
  EXPECT_EQ(gaps, 0);
  push_out();
  Pin stored = cache->find("k2");
  expect_right(stored, 2);
  EXPECT_FALSE(stored->in_memory());
  EXPECT_GE(stored->piece(0).fd, 0);
  expect_right(in_memory, 1);
  EXPECT_GT(cache->stats().stored_bytes, body_bytes);
}

TEST_F(WindowTest, AFullStoreTakesOnlyWhatWasUsedTwice) {
  open(16 * mib);
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(store(i));
    if (i % 4 == 0) EXPECT_TRUE(cache->find(key_of(i)));
  }
  int left = 0;
  for (int i = 60; i < 90; ++i) {
    Pin pin = cache->find(key_of(i));
    left += !pin;
    if (pin) expect_right(pin, i);
  }
  EXPECT_GT(left, 5);
  EXPECT_LE(cache->stats().stored_bytes, 16 * mib);
}

TEST_F(WindowTest, MemoryKeepsItsBudgetWhileOldBodiesAreRead) {
  constexpr std::uint64_t memory = 3 * mib;
  open(64 * mib, memory);
  std::vector<Pin> readers;
  for (int i = 0; i < 60; ++i) {
    store(i);
    if (Pin pin = cache->find(key_of(i)); pin && pin->in_memory()) readers.push_back(pin);
    EXPECT_LE(cache->stats().memory_bytes, memory) << i;
  }
  EXPECT_GT(readers.size(), 5u);
  for (const Pin& pin : readers) EXPECT_EQ(digest128(bytes_of(*pin)), pin->digest());
  readers.clear();
  ASSERT_TRUE(store(100));
  EXPECT_TRUE(cache->find("k100")->in_memory());
}

TEST_F(WindowTest, MemoryKeepsItsBudgetInABurst) {
  constexpr std::uint64_t memory = 4 * mib;
  open(64 * mib, memory);
  std::promise<void> pushed;
  std::uint64_t most = 0;
  cache->store(new_object("first", body_of(10, 0)), [&](bool) { pushed.get_future().wait(); });
  // Answers come in the middle of a round, as soon as a body stands in the window.
  auto look = [&](bool) { most = std::max(most, cache->stats().memory_bytes); };
  for (int i = 0; i < 40; ++i) cache->store(new_object(key_of(i), body_of(body_bytes, i)), look);
  pushed.set_value();
  ASSERT_TRUE(store(40));
  EXPECT_LE(most, memory);
  EXPECT_GT(most, memory / 2);
  EXPECT_TRUE(cache->find(key_of(39))->in_memory());
  for (int i = 0; i < 40; ++i) expect_right(cache->find(key_of(i)), i);
}

TEST_F(WindowTest, RemovalsReachTheWindowAtOnce) {
  open();
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(store(i));
  std::promise<void> durable;
  cache->remove("k0", [&] { durable.set_value(); });
  EXPECT_FALSE(cache->find("k0"));
  EXPECT_EQ(durable.get_future().wait_for(10s), std::future_status::ready);
  EXPECT_EQ(cache->remove_if([](std::string_view key) { return key != "k3"; }, [] {}), 2u);
  EXPECT_FALSE(cache->find("k1"));
  EXPECT_TRUE(cache->find("k3"));
  open();
  for (const char* key : {"k0", "k1", "k2"}) EXPECT_FALSE(cache->find(key)) << key;
  EXPECT_TRUE(cache->find("k3"));
}

TEST_F(WindowTest, APinFromTheWindowNamesTheStoredObject) {
  open();
  ASSERT_TRUE(store(1));
  Pin early = cache->find("k1");
  push_out();
  ASSERT_TRUE(cache->find("k1"));
  EXPECT_FALSE(cache->find("k1")->in_memory());
  cache->update_head(early, "renewed");
  EXPECT_EQ(cache->find("k1")->head(), "renewed");
  cache->remove(early);
  EXPECT_FALSE(cache->find("k1"));
}

TEST_F(WindowTest, ARenewedHeadGoesAlongIntoTheStore) {
  open();
  ASSERT_TRUE(store(1));
  cache->update_head(cache->find("k1"), "renewed");
  push_out();
  EXPECT_EQ(cache->find("k1")->head(), "renewed");
  cache->update_head(cache->find("k1"), "again");
  open();
  Pin pin = cache->find("k1");
  expect_right(pin, 1);
  EXPECT_EQ(pin->head(), "again");
}

TEST_F(WindowTest, ACleanStopKeepsTheWindow) {
  open();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(store(i));
  EXPECT_EQ(cache->stats().stored_bytes, 0u);
  open();
  for (int i = 0; i < 10; ++i) {
    Pin pin = cache->find(key_of(i));
    expect_right(pin, i);
    EXPECT_FALSE(pin->in_memory());
  }
}

TEST_F(WindowTest, ANewerBodyInMemoryReplacesAStoredOne) {
  open();
  ASSERT_TRUE(store(1));
  push_out();
  ASSERT_TRUE(store_now(*cache, new_object("k1", body_of(5000, 77))));
  EXPECT_EQ(bytes_of(*cache->find("k1")), body_of(5000, 77));
  open();
  EXPECT_EQ(bytes_of(*cache->find("k1")), body_of(5000, 77));
}

TEST_F(WindowTest, WithoutMemoryAllGoesToTheStore) {
  open(64 * mib, 0);
  ASSERT_TRUE(store(1));
  EXPECT_FALSE(cache->find("k1")->in_memory());
  EXPECT_GT(cache->stats().stored_bytes, body_bytes);
}

TEST_F(WindowTest, WithoutMemoryAScanPassesByWhatWasUsedTwice) {
  open(16 * mib, 0);
  for (int i = 0; i < 30; ++i) {
    ASSERT_TRUE(store(i));
    EXPECT_TRUE(cache->find(key_of(i)));
  }
  for (int i = 100; i < 250; ++i) {
    ASSERT_TRUE(store(i));
    EXPECT_TRUE(cache->has(key_of(i))) << "each is here for a while";
  }
  EXPECT_FALSE(cache->has(key_of(200)));
  for (int i = 0; i < 30; ++i) expect_right(cache->find(key_of(i)), i);
  EXPECT_LE(cache->stats().stored_bytes, 16 * mib);
}

}  // namespace
}  // namespace relay::edge::cache
