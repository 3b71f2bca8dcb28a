// What a restart gives back: after a clean stop everything, after a crash of the process
// everything that verifies, after a crash of the system nothing; never what was removed.
#include "edge/cache/recovery.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <random>

#include "common/base/sanitizers.hpp"
#include "edge/cache/cache.hpp"
#include "tests/support/cache_bodies.hpp"
#include "tests/support/temporary_folder.hpp"

namespace relay::edge::cache {
namespace {

using tests::body_of;
using tests::bytes_of;
using tests::new_object;
using tests::store_now;

constexpr std::uint64_t size_bytes = 16 << 20;
constexpr const char* keys[] = {"/small", "/photo", "/segment"};

std::size_t size_of(int i) {
  return i == 0 ? 900 : i == 1 ? 70'000 : 400'000;
}

std::unique_ptr<Cache> open_in(const std::filesystem::path& folder, Metrics& metrics) {
  auto cache = Cache::open({folder.string(), size_bytes}, metrics);
  if (!cache) ADD_FAILURE() << cache.error().message;
  return cache ? std::move(*cache) : nullptr;
}

void store_three(Cache& cache) {
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(store_now(cache, new_object(keys[i], body_of(size_of(i), i), keys[i])));
  }
}

/// Does `work` with the cache in another process, which then dies without a clean stop.
template <class Work>
void crash_after(const std::filesystem::path& folder, Work&& work) {
  pid_t child = fork();
  if (child == 0) {
    Metrics metrics;
    auto cache = Cache::open({folder.string(), size_bytes}, metrics);
    if (!cache) _exit(2);
    work(**cache);
    _exit(testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

void expect_three(Cache& cache, bool known) {
  for (int i = 0; i < 3; ++i) {
    Pin pin = cache.find(keys[i]);
    ASSERT_TRUE(pin) << keys[i];
    EXPECT_EQ(pin->known_good(), known) << keys[i];
    EXPECT_TRUE(pin->verify()) << keys[i];
    EXPECT_TRUE(pin->known_good()) << keys[i];
    EXPECT_EQ(pin->head(), keys[i]);
    EXPECT_EQ(bytes_of(*pin), body_of(size_of(i), i)) << keys[i];
  }
  cache.wait_until_whole();
  EXPECT_EQ(cache.stats().objects, 3u);
}

/// Flips a bit of every place in the file where `bytes` begin.
int flip(const std::filesystem::path& file, const std::string& bytes) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  std::string all{std::istreambuf_iterator<char>(stream), {}};
  int flipped = 0;
  for (auto at = all.find(bytes); at != all.npos; at = all.find(bytes, at + 1)) {
    stream.clear();
    stream.seekp(static_cast<std::streamoff>(at + bytes.size() / 2));
    stream.put(static_cast<char>(all[at + bytes.size() / 2] ^ 1));
    ++flipped;
  }
  return flipped;
}

void write_text(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path, std::ios::trunc) << text;
}

std::string read_text(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return std::string{std::istreambuf_iterator<char>(stream), {}};
}

struct RecoveryTest : testing::Test {
  tests::TemporaryFolder folder;
  Metrics metrics;
};

TEST_F(RecoveryTest, ACleanStopKeepsEverythingKnown) {
  store_three(*open_in(folder.path(), metrics));
  expect_three(*open_in(folder.path(), metrics), true);
}

TEST_F(RecoveryTest, ACrashKeepsEverythingToBeVerified) {
  crash_after(folder.path(), [](Cache& cache) { store_three(cache); });
  expect_three(*open_in(folder.path(), metrics), false);
  expect_three(*open_in(folder.path(), metrics), true);  // all were verified before a clean stop
}

TEST_F(RecoveryTest, UnverifiedBodiesStaySoOverACleanStop) {
  crash_after(folder.path(), [](Cache& cache) { store_three(cache); });
  {
    auto cache = open_in(folder.path(), metrics);
    ASSERT_TRUE(store_now(*cache, new_object("/later", body_of(50'000, 9))));
    EXPECT_TRUE(cache->find(keys[0])->verify());
  }
  auto cache = open_in(folder.path(), metrics);
  EXPECT_TRUE(cache->find("/later")->known_good());
  EXPECT_FALSE(cache->find(keys[2])->known_good());
}

TEST_F(RecoveryTest, AFlippedBitIsAMissAndStaysOne) {
  crash_after(folder.path(), [](Cache& cache) { store_three(cache); });
  ASSERT_GE(flip(folder / "medium" / "data.mdb", body_of(size_of(2), 2).substr(200'000, 64)), 1);
  {
    auto cache = open_in(folder.path(), metrics);
    EXPECT_TRUE(cache->find(keys[1])->verify());
    Pin pin = cache->find(keys[2]);
    ASSERT_TRUE(pin);
    EXPECT_FALSE(pin->known_good());
    EXPECT_FALSE(pin->verify());
    EXPECT_FALSE(pin->verify());
    EXPECT_FALSE(cache->find(keys[2]));
  }
  auto cache = open_in(folder.path(), metrics);
  EXPECT_FALSE(cache->find(keys[2]));
  ASSERT_TRUE(store_now(*cache, new_object(keys[2], body_of(1000, 5))));
  EXPECT_EQ(bytes_of(*cache->find(keys[2])), body_of(1000, 5));
}

TEST_F(RecoveryTest, AFlippedBitAfterACleanStopIsAMissToo) {
  store_three(*open_in(folder.path(), metrics));
  ASSERT_GE(flip(folder / "medium" / "data.mdb", body_of(size_of(2), 2).substr(200'000, 64)), 1);
  auto cache = open_in(folder.path(), metrics);
  Pin pin = cache->find(keys[2]);
  ASSERT_TRUE(pin);
  EXPECT_FALSE(pin->verify()) << "somebody wrote to the file";
  EXPECT_FALSE(cache->find(keys[2]));
  EXPECT_TRUE(cache->find(keys[1])->verify());
}

TEST_F(RecoveryTest, AFlippedBitInAHeaderDropsTheObjectOnly) {
  store_three(*open_in(folder.path(), metrics));
  ASSERT_GE(flip(folder / "small" / "data.mdb", "/photo/photo"), 1);
  auto cache = open_in(folder.path(), metrics);
  EXPECT_FALSE(cache->find("/photo"));
  EXPECT_TRUE(cache->find("/small"));
  EXPECT_TRUE(cache->find("/segment"));
  cache->wait_until_whole();
  EXPECT_GE(cache->stats().graveyard_bytes, 70'000u) << "its chunks are orphans";
}

TEST_F(RecoveryTest, ARemovalThatWasDurableStaysOverACrash) {
  crash_after(folder.path(), [](Cache& cache) {
    store_three(cache);
    std::promise<void> durable;
    cache.remove("/photo", [&] { durable.set_value(); });
    durable.get_future().wait();
    std::promise<void> second;
    cache.remove_if([](std::string_view key) { return key == "/small"; },
                    [&] { second.set_value(); });
    second.get_future().wait();
  });
  auto cache = open_in(folder.path(), metrics);
  EXPECT_FALSE(cache->find("/photo"));
  EXPECT_FALSE(cache->find("/small"));
  EXPECT_TRUE(cache->find("/segment"));
}

TEST_F(RecoveryTest, ARemovalRightAfterTheOpenStaysOverACrash) {
  crash_after(folder.path(), [](Cache& cache) { store_three(cache); });
  crash_after(folder.path(), [](Cache& cache) {
    std::promise<void> durable;
    cache.remove("/photo", [] {});
    cache.remove_if([](std::string_view key) { return key == "/small"; },
                    [&] { durable.set_value(); });
    EXPECT_FALSE(cache.find("/photo"));
    EXPECT_FALSE(cache.find("/small"));
    EXPECT_TRUE(cache.find("/segment"));
    durable.get_future().wait();
    cache.wait_until_whole();
    EXPECT_FALSE(cache.find("/photo"));
    EXPECT_FALSE(cache.find("/small"));
  });
  auto cache = open_in(folder.path(), metrics);
  EXPECT_FALSE(cache->find("/photo"));
  EXPECT_FALSE(cache->find("/small"));
  EXPECT_TRUE(cache->find("/segment"));
  cache->wait_until_whole();
  EXPECT_EQ(cache->stats().objects, 1u);
}

TEST_F(RecoveryTest, AReplacedBodyDoesNotComeBack) {
  crash_after(folder.path(), [](Cache& cache) {
    store_three(cache);
    ASSERT_TRUE(store_now(cache, new_object("/photo", body_of(90'000, 77))));
  });
  auto cache = open_in(folder.path(), metrics);
  EXPECT_EQ(bytes_of(*cache->find("/photo")), body_of(90'000, 77));
  cache->wait_until_whole();
  EXPECT_EQ(cache->stats().objects, 3u);
}

TEST_F(RecoveryTest, AfterACrashOfTheSystemNothingIsBelieved) {
  crash_after(folder.path(), [](Cache& cache) { store_three(cache); });
  write_text(marker_path(folder.path()), running_marker("another-boot"));
  auto cache = open_in(folder.path(), metrics);
  cache->wait_until_whole();
  EXPECT_EQ(cache->stats().objects, 0u);
  EXPECT_FALSE(cache->find("/photo"));
  ASSERT_TRUE(store_now(*cache, new_object("/photo", body_of(1000, 1))));
}

TEST_F(RecoveryTest, AfterACleanStopAndARebootBodiesAreVerified) {
  store_three(*open_in(folder.path(), metrics));
  write_text(marker_path(folder.path()),
             clean_marker("another-boot", 0, files_word(folder.path())));
  expect_three(*open_in(folder.path(), metrics), false);
}

TEST_F(RecoveryTest, DamagedEnvironmentsAreSetAside) {
  for (const char* name : {"small", "medium"}) {
    SCOPED_TRACE(name);
    tests::TemporaryFolder fresh;
    store_three(*open_in(fresh.path(), metrics));
    write_text(fresh / name / "data.mdb", std::string(20'000, 'x'));
    auto cache = open_in(fresh.path(), metrics);
    ASSERT_TRUE(cache);
    EXPECT_FALSE(cache->find("/segment"));
    EXPECT_EQ(cache->find("/small") != nullptr, std::string(name) == "medium");
    ASSERT_TRUE(store_now(*cache, new_object("/segment", body_of(200'000, 1))));
    EXPECT_EQ(bytes_of(*cache->find("/segment")), body_of(200'000, 1));
  }
}

constexpr std::size_t damaged_unit = 4096;

/// Overwrites a bit, half a page or a page anywhere in the file.
void damage(const std::filesystem::path& file, std::mt19937& random) {
  std::string all = read_text(file);
  std::size_t pages = all.size() / damaged_unit;
  std::size_t page = random() % pages * damaged_unit, from = random() % pages * damaged_unit;
  std::size_t bit = random() % (8 * (random() % 2 ? 64 : damaged_unit));
  switch (random() % 4) {
    case 0:  // torn: half of it is another page's
      all.replace(page, damaged_unit / 2, all.substr(from, damaged_unit / 2));
      break;
    case 1:  // lost
      all.replace(page, damaged_unit, std::string(damaged_unit, '\0'));
      break;
    default:
      all[page + bit / 8] = static_cast<char>(all[page + bit / 8] ^ 1 << bit % 8);
  }
  write_text(file, all);
}

std::size_t damaged_size(int i) {
  return static_cast<std::size_t>(i * 977 % 150'000);
}

/// How many objects are found and are what they should be; -1: one is not.
int objects_right(Cache& cache, const std::vector<std::string>& bodies) {
  int right = 0;
  for (std::size_t i = 0; i < bodies.size(); ++i) {
    Pin pin = cache.find("/object/" + std::to_string(i));
    if (!pin || !pin->verify()) continue;
    if (bytes_of(*pin) != bodies[i]) return -1;
    ++right;
  }
  return right;
}

TEST_F(RecoveryTest, DamageAnywhereIsAMissNeverAWrongByteAndNeverACrash) {
  constexpr int count = 60, rounds = thread_sanitized ? 40 : 300;  // it is not for races
  std::vector<std::string> bodies;  // made once: under sanitizers that takes its time
  for (int i = 0; i < count; ++i) {
    bodies.push_back(body_of(damaged_size(i), static_cast<std::uint64_t>(i)));
  }
  crash_after(folder.path(), [&](Cache& cache) {
    for (std::size_t i = 0; i < bodies.size(); ++i) {
      ASSERT_TRUE(store_now(cache, new_object("/object/" + std::to_string(i), bodies[i])));
    }
    for (int i = 0; i < count; i += 10) cache.remove("/object/" + std::to_string(i), [] {});
    ASSERT_TRUE(store_now(cache, new_object("/last", body_of(900, 1))));
  });
  std::mt19937 random(3);
  int lost = 0;
  for (int round = 0; round < rounds; ++round) {
    SCOPED_TRACE(round);
    tests::TemporaryFolder copy;
    std::filesystem::copy(folder.path(), copy.path(),
                          std::filesystem::copy_options::recursive |
                              std::filesystem::copy_options::overwrite_existing);
    damage(copy / (round % 3 ? "small" : "medium") / "data.mdb", random);
    crash_after(copy.path(), [&](Cache& cache) {
      int ahead = objects_right(cache, bodies);
      cache.wait_until_whole();
      int right = objects_right(cache, bodies);
      EXPECT_TRUE(ahead >= 0 && right >= 0) << "wrong bytes";
      EXPECT_TRUE(store_now(cache, new_object("/new", body_of(90'000, 1))));
      EXPECT_EQ(bytes_of(*cache.find("/new")), body_of(90'000, 1));
      std::promise<void> durable;
      cache.remove_if([](std::string_view key) { return key.starts_with("/object/1"); },
                      [&] { durable.set_value(); });
      durable.get_future().wait();
      EXPECT_GE(objects_right(cache, bodies), 0) << "wrong bytes after a write";
      if (right < count - count / 10) write_text(copy / "lost", "some");
    });
    lost += std::filesystem::exists(copy / "lost");
  }
  EXPECT_GT(lost, rounds / 10) << "much of the damage was to what is in use";
}

TEST_F(RecoveryTest, ASmallerSizeStartsEmptyWhenTheFilesAreTooLarge) {
  {
    auto cache = Cache::open({folder.path().string(), 400 << 20}, metrics);
    ASSERT_TRUE(cache);
    for (int i = 0; i < 130; ++i) {
      ASSERT_TRUE(store_now(**cache, new_object("k" + std::to_string(i), body_of(1 << 20, i))));
    }
  }
  auto cache = open_in(folder.path(), metrics);
  cache->wait_until_whole();
  EXPECT_EQ(cache->stats().objects, 0u);
  EXPECT_LT(std::filesystem::file_size(folder / "large" / "data.mdb"), size_bytes);
}

TEST_F(RecoveryTest, AnOlderFormatIsDropped) {
  std::filesystem::create_directories(folder / "bulk");
  write_text(folder / "bulk" / "data.mdb", "of an older format");
  store_three(*open_in(folder.path(), metrics));
  EXPECT_FALSE(std::filesystem::exists(folder / "bulk"));
  expect_three(*open_in(folder.path(), metrics), true);
}

TEST_F(RecoveryTest, ManyObjectsComeBackWithinTheBudget) {
  std::uint64_t objects = 0;
  {
    auto cache = open_in(folder.path(), metrics);
    for (int i = 0; i < 300; ++i) {
      ASSERT_TRUE(store_now(*cache, new_object("k" + std::to_string(i), body_of(90'000, i))));
    }
    objects = cache->stats().objects;
  }
  auto cache = open_in(folder.path(), metrics);
  cache->wait_until_whole();
  CacheStats stats = cache->stats();
  EXPECT_EQ(stats.objects, objects);
  EXPECT_LE(stats.stored_bytes + stats.graveyard_bytes, stats.size_bytes);
  cache->visit(SIZE_MAX, [&](const Object& object) {
    EXPECT_EQ(bytes_of(object), body_of(90'000, std::stoul(object.key().substr(1))));
  });
}

}  // namespace
}  // namespace relay::edge::cache
