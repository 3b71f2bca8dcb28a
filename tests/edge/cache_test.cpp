// The cache as its users see it, in one process: what was stored comes back byte by byte, removals
// hold, the budget holds, pins hold, and threads do not disturb one another.
#include "edge/cache/cache.hpp"

#include <gtest/gtest.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <thread>

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

struct CacheTest : testing::Test {
  void open(std::uint64_t size_bytes = 64 << 20) {
    cache.reset();
    auto opened = Cache::open({folder.path().string(), size_bytes}, metrics);
    ASSERT_TRUE(opened) << opened.error().message;
    cache = std::move(*opened);
  }
  bool store(const std::string& key, const std::string& body, std::string head = "head") {
    return store_now(*cache, new_object(key, body, std::move(head)));
  }

  tests::TemporaryFolder folder;
  Metrics metrics;
  std::unique_ptr<Cache> cache;
};

TEST_F(CacheTest, StoresAndFindsBodiesOfEverySize) {
  open();
  constexpr std::size_t chunk = limits::chunk_bytes;
  for (std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{4080}, std::size_t{4081},
                           std::size_t{16368}, std::size_t{16369}, std::size_t{65521}, chunk - 1,
                           chunk, chunk + 1, 3 * chunk, 3 * chunk + 12345, std::size_t{655'360},
                           std::size_t{655'361}, std::size_t{1'048'560}, std::size_t{2'500'000}}) {
    std::string key = "k" + std::to_string(size), body = body_of(size, size);
    ASSERT_TRUE(store(key, body, "head of " + key)) << size;
    Pin pin = cache->find(key);
    ASSERT_TRUE(pin) << size;
    EXPECT_EQ(pin->key(), key);
    EXPECT_EQ(pin->head(), "head of " + key);
    EXPECT_EQ(pin->body_bytes(), size);
    EXPECT_EQ(pin->digest(), digest128(body));
    EXPECT_TRUE(pin->known_good());
    EXPECT_EQ(bytes_of(*pin), body);
  }
  EXPECT_EQ(cache->stats().objects, 16u);
  EXPECT_FALSE(cache->find("other"));
}

TEST_F(CacheTest, PiecesBeginAnywhereAndNameTheSameBytesInTheFile) {
  open();
  constexpr std::size_t chunk = limits::chunk_bytes;
  std::string body = body_of(2 * chunk + 1000, 7);
  ASSERT_TRUE(store("k", body));
  Pin pin = cache->find("k");
  struct Case {
    std::uint64_t offset;
    std::size_t size;
  };
  for (const Case& c :
       {Case{0, chunk}, Case{1, chunk - 1}, Case{chunk - 1, 1}, Case{chunk, chunk},
        Case{chunk + 777, chunk - 777}, Case{2 * chunk, 1000}, Case{2 * chunk + 999, 1}}) {
    Piece piece = pin->piece(c.offset);
    ASSERT_EQ(piece.size, c.size) << c.offset;
    std::string expected = body.substr(c.offset, c.size), from_file(c.size, '\0');
    EXPECT_EQ(std::string(piece.address, piece.size), expected) << c.offset;
    auto got = pread(piece.fd, from_file.data(), c.size, static_cast<off_t>(piece.file_offset));
    EXPECT_EQ(got, static_cast<ssize_t>(c.size));
    EXPECT_EQ(from_file, expected) << c.offset;
  }
}

TEST_F(CacheTest, SendfileGivesTheSameBytes) {
  open();
  std::string body = body_of(40'000, 3);
  ASSERT_TRUE(store("k", body));
  Pin pin = cache->find("k");
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  Piece piece = pin->piece(100);
  pin->note_sendfile();
  auto at = static_cast<off_t>(piece.file_offset);
  ASSERT_EQ(sendfile(ends[0], piece.fd, &at, piece.size), static_cast<ssize_t>(piece.size));
  std::string got(piece.size, '\0');
  ASSERT_EQ(recv(ends[1], got.data(), got.size(), MSG_WAITALL), static_cast<ssize_t>(got.size()));
  EXPECT_EQ(got, body.substr(100));
  close(ends[0]);
  close(ends[1]);
}

TEST_F(CacheTest, AStoreReplacesAndPinsOfTheOldStayWhole) {
  open();
  ASSERT_TRUE(store("k", body_of(300'000, 1)));
  Pin old = cache->find("k");
  ASSERT_TRUE(store("k", body_of(200'000, 2)));
  EXPECT_EQ(bytes_of(*cache->find("k")), body_of(200'000, 2));
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(store("other", body_of(300'000, 100 + i)));
  EXPECT_EQ(bytes_of(*old), body_of(300'000, 1));
  EXPECT_EQ(cache->stats().objects, 2u);
}

TEST_F(CacheTest, ARefreshedHeadKeepsTheBody) {
  open();
  ASSERT_TRUE(store("k", body_of(50'000, 1), "old"));
  Pin old = cache->find("k");
  cache->update_head(old, "new");
  Pin now = cache->find("k");
  EXPECT_EQ(now->head(), "new");
  EXPECT_EQ(old->head(), "old");
  EXPECT_EQ(bytes_of(*now), body_of(50'000, 1));
  cache->update_head(old, "too late");
  EXPECT_EQ(cache->find("k")->head(), "new");
  old.reset();
  now.reset();
  open();
  EXPECT_EQ(cache->find("k")->head(), "new");
}

TEST_F(CacheTest, WhatIsNotWholeIsRefused) {
  open();
  NewObject wrong_digest = new_object("k", body_of(20'000, 1));
  wrong_digest.digest.low ^= 1;
  EXPECT_FALSE(store_now(*cache, std::move(wrong_digest)));
  NewObject wrong_size = new_object("k", body_of(20'000, 1));
  wrong_size.body_bytes += 1;
  EXPECT_FALSE(store_now(*cache, std::move(wrong_size)));
  NewObject missing = new_object("k", body_of(300'000, 1));
  missing.chunks.pop_back();
  EXPECT_FALSE(store_now(*cache, std::move(missing)));
  EXPECT_FALSE(cache->find("k"));
  EXPECT_EQ(cache->stats().store_failures, 3u);
}

TEST_F(CacheTest, TheBudgetHoldsUnderChurn) {
  open(16 << 20);
  for (int i = 0; i < 400; ++i) {
    std::size_t size = i % 3 == 0 ? 3'000 : 100'000 + 50'000 * static_cast<std::size_t>(i % 9);
    ASSERT_TRUE(store("k" + std::to_string(i), body_of(size, i))) << i;
    CacheStats stats = cache->stats();
    ASSERT_LE(stats.stored_bytes + stats.graveyard_bytes, stats.size_bytes) << i;
  }
  CacheStats stats = cache->stats();
  EXPECT_GT(stats.evictions, 100u);
  EXPECT_GT(stats.stored_bytes, stats.size_bytes * 8 / 10);
  std::uint64_t objects = 0;
  cache->visit(SIZE_MAX, [&](const Object& object) {
    ++objects;
    auto number = std::stoul(object.key().substr(1));
    EXPECT_EQ(bytes_of(object), body_of(object.body_bytes(), number)) << object.key();
  });
  EXPECT_EQ(objects, stats.objects);
  auto file = std::filesystem::file_size(folder / "medium" / "data.mdb");
  EXPECT_LT(file, 2 * stats.size_bytes) << "pages of evicted bodies are not used again";
}

std::uint64_t disk_bytes(const std::filesystem::path& file) {
  struct stat status{};
  return ::stat(file.c_str(), &status) == 0 ? static_cast<std::uint64_t>(status.st_blocks) * 512
                                            : 0;
}

TEST_F(CacheTest, AChangeOfTheMixOfSizesDoesNotDoubleTheDiskUse) {
  open(32 << 20);
  for (std::size_t size : {std::size_t{120'000}, std::size_t{1'500'000}, std::size_t{120'000}}) {
    for (std::size_t stored = 0, i = 0; stored < 3 * (32u << 20); stored += size, ++i) {
      ASSERT_TRUE(store("k" + std::to_string(size) + "-" + std::to_string(i), body_of(size, i)));
    }
    std::uint64_t taken = 0;
    for (const char* shelf : {"small", "medium", "large"}) {
      taken += disk_bytes(folder / shelf / "data.mdb");
    }
    EXPECT_LT(taken, (32u << 20) * 3 / 2) << size;
  }
  cache->visit(SIZE_MAX, [&](const Object& object) {
    auto number = std::stoul(object.key().substr(object.key().find('-') + 1));
    EXPECT_EQ(bytes_of(object), body_of(object.body_bytes(), number)) << object.key();
  });
}

TEST_F(CacheTest, ARoundOfManyTransactionsLeavesNoHoleInWhatItWrites) {
  open(300 << 20);
  for (int i = 0; i < 560; ++i) {
    ASSERT_TRUE(store("k" + std::to_string(i), body_of(600'000, i)));
  }
  for (int i = 0; i < 6; ++i) {  // each takes three transactions, and the place of others
    std::string key = "large" + std::to_string(i), body = body_of(74'000'000, i);
    ASSERT_TRUE(!store(key, body) && store(key, body)) << "larger than the window";
    Pin pin = cache->find(key);
    ASSERT_TRUE(pin && bytes_of(*pin) == body) << i;
  }
}

TEST_F(CacheTest, TooBigIsRefusedAndNothingElseHarmed) {
  open(16 << 20);
  ASSERT_TRUE(store("k", body_of(100'000, 1)));
  EXPECT_FALSE(store("big", body_of(6 << 20, 2)));
  EXPECT_TRUE(cache->find("k"));
  EXPECT_EQ(cache->stats().evictions, 0u);
}

TEST_F(CacheTest, APinnedBodyOutlivesAnyChurn) {
  open(16 << 20);
  std::string body = body_of(500'000, 9);
  ASSERT_TRUE(store("pinned", body));
  Pin pin = cache->find("pinned");
  for (int i = 0; i < 2500; ++i) {
    std::string key = "k" + std::to_string(i);
    ASSERT_TRUE(store(key, body_of(80'000, i)) && cache->find(key));  // twice, so that it stays
  }
  EXPECT_FALSE(cache->find("pinned")) << "the test means it to be evicted";
  EXPECT_EQ(bytes_of(*pin), body);
  EXPECT_GT(cache->stats().graveyard_bytes, 0u);
}

TEST_F(CacheTest, ASentBodyStaysAfterItsPin) {
  open(16 << 20);
  std::string body = body_of(500'000, 9);
  ASSERT_TRUE(store("sent", body));
  Pin pin = cache->find("sent");
  Piece piece = pin->piece(0);
  pin->note_sendfile();
  pin.reset();
  cache->remove("sent", nullptr);
  for (int i = 0; i < 300; ++i) {
    ASSERT_TRUE(store("k" + std::to_string(i), body_of(80'000, i)));
  }
  EXPECT_EQ(std::string(piece.address, piece.size), body.substr(0, piece.size));
  EXPECT_GE(cache->stats().graveyard_bytes, 500'000u);
}

TEST_F(CacheTest, RemoveIsInForceAtReturn) {
  open();
  ASSERT_TRUE(store("a/1", body_of(10, 1)) && store("a/2", body_of(20'000, 2)));
  ASSERT_TRUE(store("b/1", body_of(20'000, 3)) && store("c/1", body_of(20'000, 4)));
  std::atomic<int> durable{0};
  auto count = [&] { ++durable; };
  cache->remove("b/1", count);
  EXPECT_FALSE(cache->find("b/1"));
  EXPECT_EQ(cache->remove_if([](std::string_view key) { return key.starts_with("a/"); }, count),
            2u);
  EXPECT_FALSE(cache->find("a/1") || cache->find("a/2"));
  EXPECT_EQ(cache->take(digest128("c/1"))->key(), "c/1");
  EXPECT_FALSE(cache->find("c/1"));
  cache->remove("never was here", count);
  ASSERT_TRUE(tests::eventually([&] { return durable == 3; }));
  open();
  EXPECT_EQ(cache->stats().objects, 0u);
}

TEST_F(CacheTest, RemoveDropsStoresThatWereHandedOverBefore) {
  open();
  std::promise<void> held, go_on;
  cache->store(new_object("first", body_of(10, 1)), [&](bool) {
    held.set_value();
    go_on.get_future().wait();
  });
  held.get_future().wait();  // the store thread stands still: what comes now waits
  std::atomic<int> stored{0}, refused{0}, durable{0};
  auto done = [&](bool is_stored) { ++(is_stored ? stored : refused); };
  for (int i = 0; i < 20; ++i) {
    cache->store(new_object("a/" + std::to_string(i), body_of(50'000, i)), done);
  }
  for (auto key : {"b", "c"}) cache->store(new_object(key, body_of(50'000, 1)), done);
  EXPECT_FALSE(cache->take(digest128("c"))) << "it does not stand there yet";
  cache->remove_if([](std::string_view key) { return key.starts_with("a/"); }, [&] { ++durable; });
  cache->store(new_object("a/later", body_of(50'000, 1)), done);
  go_on.set_value();
  ASSERT_TRUE(tests::eventually([&] { return durable == 1 && stored + refused == 23; }));
  EXPECT_EQ(stored, 2);
  EXPECT_TRUE(cache->find("b") && cache->find("a/later"));
  open();
  cache->wait_until_whole();
  EXPECT_EQ(cache->stats().objects, 3u);
}

TEST_F(CacheTest, AFullQueueRefuses) {
  open(16 << 20);  // the queue takes a quarter
  std::atomic<int> stored{0}, refused{0};
  auto done = [&](bool is_stored) { ++(is_stored ? stored : refused); };
  std::vector<NewObject> objects;
  for (int i = 0; i < 40; ++i) {
    objects.push_back(new_object("k" + std::to_string(i), body_of(1'000'000, i)));
  }
  for (auto& object : objects) cache->store(std::move(object), done);
  ASSERT_TRUE(tests::eventually([&] { return stored + refused == 40; }));
  EXPECT_GT(refused.load(), 0);
  EXPECT_GE(stored.load(), 4);
  EXPECT_TRUE(store("after", body_of(1'000'000, 1)));
}

TEST_F(CacheTest, FindsAndStoresFromManyThreads) {
  open(16 << 20);
  constexpr int keys = 60;
  auto size_of = [](int key) { return static_cast<std::size_t>(2'000 + key * 5'000); };
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0}, found{0}, answered{0}, asked{0};
  auto reader = [&](int seed) {
    for (int i = seed; !stop; i = (i * 31 + 7) % 1009) {
      int key = i % keys;
      Pin pin = cache->find("k" + std::to_string(key));
      if (!pin) continue;
      ++found;
      if (bytes_of(*pin) != body_of(size_of(key), key)) ++wrong;
    }
  };
  auto writer = [&](int seed) {
    for (int i = 0; i < 300; ++i) {
      int key = (i * 17 + seed) % keys;
      ++asked;
      cache->store(new_object("k" + std::to_string(key), body_of(size_of(key), key)),
                   [&](bool) { ++answered; });
      if (i % 29 == 0) cache->remove("k" + std::to_string(key), nullptr);
      if (i % 97 == 0) {
        cache->remove_if([](std::string_view each) { return each.ends_with("3"); }, nullptr);
      }
      if (Pin pin = i % 11 == 0 ? cache->find("k1") : nullptr) cache->update_head(pin, "again");
      while (asked - answered > 20) std::this_thread::yield();
    }
  };
  std::vector<std::thread> readers, writers;
  for (int i = 0; i < 2; ++i) readers.emplace_back(reader, 5 + i);
  for (int i = 0; i < 2; ++i) writers.emplace_back(writer, i);
  for (auto& thread : writers) thread.join();
  ASSERT_TRUE(tests::eventually([&] { return answered == asked; }));
  stop = true;
  for (auto& thread : readers) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(found, 0);
}

TEST_F(CacheTest, MetricsSayWhatIsHere) {
  open();
  ASSERT_TRUE(store("k", body_of(20'000, 1)));
  std::string text = metrics.exposition();
  EXPECT_NE(text.find("\nrelay_edge_cache_objects 1\n"), text.npos) << text;
  EXPECT_NE(text.find("\nrelay_edge_cache_body_bytes 20000\n"), text.npos) << text;
  EXPECT_NE(text.find("relay_edge_cache_store_failures_total{reason=\"room\"} 0"), text.npos);
}

/// Bodies of 17 KB take runs of 64 KiB: 120 of them fill 8 MiB, although the bytes of 300 would
/// fit.
TEST_F(CacheTest, TheForecastCountsPages) {
  open(8 << 20);
  for (int i = 0; i < 900; ++i) {
    std::string key = "k" + std::to_string(i % 300);
    if (!cache->find(key)) store(key, body_of(17'000, i % 300));
  }
  ASSERT_TRUE(eventually([&] { return cache->forecast()->sampled_requests >= 900; }));
  auto forecast = cache->forecast();
  EXPECT_GT(forecast->measured.object_miss, 0.5);
  for (const policy::Expectation& each : forecast->expectations) {
    if (each.size != 1) continue;
    EXPECT_NEAR(each.object_miss, forecast->measured.object_miss, 0.2);
  }
}

TEST_F(CacheTest, ARestartIsNoTraffic) {
  open();
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(store("k" + std::to_string(i), body_of(50'000, i)));
  open();
  EXPECT_EQ(cache->forecast()->sampled_requests, 0u);
  for (int i = 0; i < 500; ++i) EXPECT_TRUE(cache->find("k" + std::to_string(i % 50)));
  ASSERT_TRUE(eventually([&] { return cache->forecast()->sampled_requests == 500; }));
  auto forecast = cache->forecast();
  EXPECT_EQ(forecast->measured.object_miss, 0);
  for (const policy::Expectation& each : forecast->expectations) {
    EXPECT_EQ(each.object_miss, 0) << each.size;
    EXPECT_EQ(each.object_error, 0) << each.size;
  }
}

TEST_F(CacheTest, OneProcessAndOneCacheAFolder) {
  open();
  Metrics other;
  auto second = Cache::open({folder.path().string(), 64 << 20}, other);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::unavailable);
  auto tiny = Cache::open({(folder / "tiny").string(), 1 << 20}, other);
  ASSERT_FALSE(tiny);
  EXPECT_EQ(tiny.error().kind, ErrorKind::invalid);
}

}  // namespace
}  // namespace relay::edge::cache
