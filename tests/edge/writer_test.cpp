// A disk that is fuller than the budget says: the store thread makes room or refuses, and goes on.
#include "edge/cache/writer.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <future>

#include "edge/cache/cache.hpp"
#include "tests/support/cache_bodies.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/meta_writes.hpp"
#include "tests/support/temporary_folder.hpp"

namespace relay::edge::cache {
namespace {

using tests::body_of;
using tests::bytes_of;
using tests::new_object;

/// A store thread over a folder of its own. `map_bytes`: what LMDB is made for; it adds headroom.
struct StoreThread {
  StoreThread(std::uint64_t map_bytes, CacheOptions options)
      : volume(Volume::open(folder.path(), map_bytes, false).value()),
        shared(64 << 20, volume, {}),
        writer(volume, shared, gauges, (options.path = folder.path().string(), options)) {}
  tests::TemporaryFolder folder;
  Metrics metrics;
  Gauges gauges{metrics};
  std::shared_ptr<Volume> volume;
  Shared shared;
  Writer writer;
};

bool store_now(Shared& shared, int i, const std::string& body) {
  std::promise<bool> answer;
  std::string key = "k" + std::to_string(i);
  shared.queue.push_store(digest128(key), new_object(key, body),
                          [&](bool stored) { answer.set_value(stored); });
  return answer.get_future().get();
}

bool store_now(Shared& shared, int i, std::size_t size) {
  return store_now(shared, i, body_of(size, i));
}

/// The same, with LMDB's meta writes failing in this one round: a round that nobody asked for, to
/// erase what an earlier one gave up, neither uses the failure up nor has one of its own.
bool store_failing(Shared& shared, int i, std::size_t size, tests::MetaWrite way) {
  std::promise<void> waits, go_on;
  std::promise<bool> answer;
  shared.queue.push(WaitJob{[&] {
    waits.set_value();
    go_on.get_future().wait();
    tests::meta_write = way;
  }});
  waits.get_future().wait();
  std::string key = "k" + std::to_string(i);
  shared.queue.push_store(digest128(key), new_object(key, body_of(size, i)), [&](bool stored) {
    tests::meta_write = tests::MetaWrite::works;
    answer.set_value(stored);
  });
  go_on.set_value();
  return answer.get_future().get();
}

int wrong_bodies(const Shared& shared) {
  int wrong = 0;
  shared.index.visit([&](const Pin& pin) {
    wrong += bytes_of(*pin) != body_of(pin->body_bytes(), std::stoul(pin->key().substr(1)));
    return true;
  });
  return wrong;
}

TEST(Writer, AFullMapEvictsAndTriesAgain) {
  // A map for 4 MiB (100 MiB with its headroom) under a budget of 1 GiB: LMDB is full first.
  StoreThread store(4 << 20, {.size_bytes = 1 << 30});
  auto& [folder, metrics, gauges, volume, shared, writer] = store;
  constexpr std::size_t size = 1'000'000;
  int stored = 0;
  for (int i = 0; i < 160; ++i) stored += store_now(shared, i, size);
  EXPECT_EQ(stored, 160);
  EXPECT_GT(gauges.evictions.value(), 20u);
  EXPECT_EQ(gauges.failures(), 0u);
  EXPECT_EQ(wrong_bodies(shared), 0);
  EXPECT_TRUE(writer.stop());
}

/// Hands over both while the store thread waits in an answer, so that they come in one round; back
/// after that round.
void store_in_one_round(Shared& shared, const std::string& key, const std::string& older,
                        const std::string& newer) {
  std::promise<void> waits, go_on, over;
  shared.queue.push_store(digest128(std::string("first")), new_object("first", "x"), [&](bool) {
    waits.set_value();
    go_on.get_future().wait();
  });
  waits.get_future().wait();
  shared.queue.push_store(digest128(key), new_object(key, older), [&](bool) { over.set_value(); });
  shared.queue.push_store(digest128(key), new_object(key, newer), nullptr);
  go_on.set_value();
  over.get_future().wait();
}

/// A large body goes straight into the store, a small one of the same key that was handed over
/// after it stands in the window already when the large one is tried again.
TEST(Writer, AfterAFullDiskTheNewestBodyOfAKeyCounts) {
  // A map of 100 MiB under a larger budget: whatever is evicted, is evicted for a second try.
  StoreThread store(4 << 20, {.size_bytes = 250 << 20, .memory_bytes = 128 << 20});
  auto& [folder, metrics, gauges, volume, shared, writer] = store;
  const std::string large = body_of(28'000'000, 1);  // more than the window, less than a round
  const std::string small = body_of(5000, 2);
  int tried_again = 0, older = 0;
  for (int i = 0; i < 40 && tried_again < 2; ++i) {
    // As many as leave no room for the next, sooner or later.
    for (int n = 0; n <= i % 3; ++n) ASSERT_TRUE(store_now(shared, 1000 + 3 * i + n, large));
    std::string key = "k" + std::to_string(i);
    std::uint64_t evictions = gauges.evictions.value();
    store_in_one_round(shared, key, large, small);
    tried_again += gauges.evictions.value() > evictions;
    Pin shown = shared.index.find(digest128(key), key);
    older += shown && shown->body_bytes() != small.size();
  }
  EXPECT_EQ(tried_again, 2);
  EXPECT_EQ(older, 0);
  EXPECT_TRUE(writer.stop());
}

TEST(Writer, ADiskThatRefusesIsARefusalOnly) {
  StoreThread store(64 << 20, {.size_bytes = 64 << 20});
  auto& [folder, metrics, gauges, volume, shared, writer] = store;
  constexpr std::size_t size = 1'000'000;
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(store_now(shared, i, size));

  auto before = std::signal(SIGXFSZ, SIG_IGN);
  rlimit usual{};
  getrlimit(RLIMIT_FSIZE, &usual);
  rlimit tight{6 << 20, usual.rlim_max};
  setrlimit(RLIMIT_FSIZE, &tight);
  int refused = 0;
  for (int i = 4; i < 12; ++i) refused += !store_now(shared, i, size);
  setrlimit(RLIMIT_FSIZE, &usual);
  std::signal(SIGXFSZ, before);

  EXPECT_GE(refused, 6);
  EXPECT_EQ(gauges.failures_disk.value(), static_cast<std::uint64_t>(refused));
  for (int i = 12; i < 20; ++i) EXPECT_TRUE(store_now(shared, i, size)) << i;
  EXPECT_EQ(wrong_bodies(shared), 0);
  EXPECT_TRUE(writer.stop());
}

/// What a failed round was to store must not be counted beside what it was to free.
TEST(Writer, AFullStoreWhoseDiskRefusesStaysWithinItsSizeInTheBooks) {
  for (tests::MetaWrite way : tests::failing_meta_writes) {
    StoreThread store(64 << 20, {.size_bytes = 64 << 20});
    auto& [folder, metrics, gauges, volume, shared, writer] = store;
    auto counted = [&] { return gauges.stored_bytes.value() + gauges.graveyard_bytes.value(); };
    for (int i = 0; i < 80; ++i) ASSERT_TRUE(store_now(shared, i, 1'000'000));
    ASSERT_GT(gauges.evictions.value(), 0u);
    for (int i = 100; i < 110; ++i) {
      auto failed = gauges.failures_disk.value();
      EXPECT_FALSE(store_failing(shared, i, 1'000'000, way));
      EXPECT_EQ(gauges.failures_disk.value(), failed + 1);
      EXPECT_LE(counted(), gauges.size_bytes.value());
    }
    for (int i = 200; i < 280; ++i) EXPECT_TRUE(store_now(shared, i, 1'000'000)) << i;
    EXPECT_LE(counted(), gauges.size_bytes.value());
    EXPECT_EQ(wrong_bodies(shared), 0);
    EXPECT_TRUE(writer.stop());
  }
}

/// Of every shelf.
constexpr std::size_t sizes[] = {900, 200'000, 1'000'000};

TEST(Writer, AFileThatLmdbGaveUpIsOpenedAnewUnderItsPins) {
  for (tests::MetaWrite way : tests::failing_meta_writes) {
    StoreThread store(64 << 20, {.size_bytes = 64 << 20});
    auto& [folder, metrics, gauges, volume, shared, writer] = store;
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(store_now(shared, i, sizes[i]));
    std::vector<Pin> pins;
    std::vector<const char*> places;
    for (int i = 0; i < 3; ++i) {
      std::string key = "k" + std::to_string(i);
      pins.push_back(shared.index.find(digest128(key), key));
      places.push_back(pins.back()->piece(0).address);
    }
    for (int i = 0; i < 3; ++i) {
      EXPECT_FALSE(store_failing(shared, 10 + i, sizes[i], way));
      EXPECT_EQ(gauges.reopened.value(), static_cast<std::uint64_t>(i + 1));
      EXPECT_TRUE(store_now(shared, 20 + i, sizes[i])) << "without a restart";
    }
    // Enough to write over every page that the books take for free.
    for (int i = 100; i < 300; ++i) EXPECT_TRUE(store_now(shared, i, 1'000'000));
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(pins[i]->piece(0).address, places[i]);
      EXPECT_EQ(bytes_of(*pins[i]), body_of(sizes[i], i));
    }
    EXPECT_EQ(wrong_bodies(shared), 0);
    EXPECT_TRUE(writer.stop());
  }
}

TEST(Writer, WhoWaitsForAnswersDoesNotWaitForTheDisk) {
  StoreThread store(64 << 20, {.size_bytes = 64 << 20});
  auto& [folder, metrics, gauges, volume, shared, writer] = store;
  ASSERT_TRUE(store_now(shared, 1, 900));
  std::atomic<int> answers{0}, durable{0};
  tests::meta_write = tests::MetaWrite::fails;
  RemoveJob removal;
  removal.removed.push_back(shared.index.remove(digest128(std::string_view("k1")), "k1"));
  removal.durable = [&] { ++durable; };
  shared.queue.push(std::move(removal));
  for (int i = 0; i < 30; ++i) {
    std::string key = "x" + std::to_string(i);
    shared.queue.push_store(digest128(key), new_object(key, body_of(20'000, i)),
                            [&](bool) { ++answers; });
  }
  std::promise<void> answered;
  shared.queue.push(WaitJob{[&] { answered.set_value(); }});
  answered.get_future().wait();
  EXPECT_EQ(answers, 30);
  EXPECT_EQ(durable, 0);
  tests::meta_write = tests::MetaWrite::works;
  EXPECT_TRUE(tests::eventually([&] { return durable == 1; }));
  EXPECT_TRUE(writer.stop());
}

void cut_off(const Volume& volume) {
  for (ShelfName name : all_shelves) ASSERT_EQ(::ftruncate(volume.shelf(name).fd(), 2 * 4096), 0);
}

TEST(Writer, FilesThatWereCutOffAreGivenUpForTheNextStart) {
  StoreThread store(64 << 20, {.size_bytes = 64 << 20});
  auto& [folder, metrics, gauges, volume, shared, writer] = store;
  ASSERT_TRUE(mark_running(folder.path()));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(store_now(shared, i, sizes[i]));
  cut_off(*volume);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(store_now(shared, 10 + i, sizes[i]));
  EXPECT_TRUE(shared.failing);
  for (int i = 0; i < 3; ++i) {
    std::string key = "k" + std::to_string(i);
    EXPECT_FALSE(shared.index.find(digest128(key), key)->can_be_read());
  }
  std::promise<void> durable;
  RemoveJob removal;
  removal.durable = [&] { durable.set_value(); };
  shared.queue.push(std::move(removal));
  EXPECT_EQ(durable.get_future().wait_for(std::chrono::seconds(20)), std::future_status::ready);
  EXPECT_FALSE(writer.stop());
  EXPECT_EQ(read_marker(folder.path())->trust, Trust::discard);
}

TEST(Writer, WhileItReadsItTellsWhatTheFilesHold) {
  tests::TemporaryFolder folder;
  CacheOptions options{.path = folder.path().string(), .size_bytes = 64 << 20};
  {
    Metrics metrics;
    auto cache = Cache::open(options, metrics);
    ASSERT_TRUE(cache);
    for (int i = 0; i < 20; ++i) {
      auto object = new_object("k" + std::to_string(i), body_of(30'000, i));
      ASSERT_TRUE(tests::store_now(**cache, std::move(object)));
    }
  }
  Metrics metrics;
  Gauges gauges(metrics);
  auto volume = Volume::open(folder.path(), options.size_bytes, false);
  ASSERT_TRUE(volume);
  Shared shared(64 << 20, *volume, {});
  std::promise<void> go_on;
  auto told = go_on.get_future().share();
  shared.backlog.remove_if([told](std::string_view) {
    told.wait();
    return false;
  });
  Writer writer(*volume, shared, gauges, options);
  EXPECT_EQ(gauges.reading.value(), 1);
  EXPECT_EQ(gauges.objects.value(), 20);
  auto stored_bytes = gauges.stored_bytes.value();
  go_on.set_value();
  shared.backlog.wait_until_whole();
  EXPECT_EQ(gauges.reading.value(), 0);
  EXPECT_EQ(gauges.objects.value(), 20);
  EXPECT_EQ(gauges.body_bytes.value(), 600'000);
  EXPECT_NEAR(stored_bytes, gauges.stored_bytes.value(), 100'000);
}

TEST(Writer, AStoreThatCannotBeReadIsGivenUp) {
  tests::TemporaryFolder folder;
  Metrics metrics;
  CacheOptions options{.path = folder.path().string(), .size_bytes = 64 << 20};
  {
    auto cache = Cache::open(options, metrics);
    ASSERT_TRUE(cache);
    for (int i = 0; i < 20; ++i) {
      ASSERT_TRUE(tests::store_now(**cache, new_object("k" + std::to_string(i), body_of(900, i))));
    }
  }
  ASSERT_TRUE(mark_running(folder.path()));
  auto volume = Volume::open(folder.path(), options.size_bytes, false);
  ASSERT_TRUE(volume);
  Shared shared(64 << 20, *volume, {});
  ASSERT_TRUE(shared.backlog.take(digest128("k1"), "k1"));
  std::vector<store::ReadTxn> all_readers;
  while (auto txn = (*volume)->headers().read()) all_readers.push_back(std::move(*txn));
  Gauges gauges(metrics);
  Writer writer(*volume, shared, gauges, options);
  shared.backlog.wait_until_whole();
  all_readers.clear();

  EXPECT_EQ(shared.index.size(), 0u);
  EXPECT_EQ(gauges.objects.value(), 0);
  EXPECT_EQ(gauges.reading.value(), 0);
  EXPECT_FALSE(shared.backlog.take(digest128("k2"), "k2"));
  EXPECT_FALSE(store_now(shared, 30, 900));
  std::promise<void> durable;
  shared.queue.push(RemoveJob{{}, [&] { durable.set_value(); }});
  durable.get_future().wait();
  EXPECT_EQ(read_marker(folder.path())->trust, Trust::discard) << "the next start begins empty";
  EXPECT_FALSE(writer.stop());
}

}  // namespace
}  // namespace relay::edge::cache
