// The byte budget holds while many fills end at once, in the books and in the files: what has to
// leave for a body is gone before it is written, and one that finds no room is refused.
#include "edge/cache/budget.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <thread>

#include "edge/cache/cache.hpp"
#include "tests/support/cache_bodies.hpp"
#include "tests/support/temporary_folder.hpp"

namespace relay::edge::cache {
namespace {

constexpr std::uint64_t size_bytes = 64 << 20;
constexpr int fillers = 8, fills_each = 120;

/// Of every file, large ones too, most of them not whole pages.
std::size_t size_of(int i) {
  constexpr std::size_t sizes[] = {900, 9'000, 40'000, 131'000, 300'000, 640'000, 1'100'000};
  return sizes[i % 7] + static_cast<std::size_t>(i) * 31 % 900;
}

struct Fills {
  void fill(int filler) {
    for (int i = filler; i < fillers * fills_each; i += fillers) {
      std::string key = "k" + std::to_string(i);
      auto object = tests::new_object(key, tests::body_of(size_of(i), static_cast<unsigned>(i)));
      object.awaited = true;
      (tests::store_now(*cache, std::move(object)) ? stored : refused) += 1;
      // Some are still read, or sent, when they are to leave.
      Pin pin = cache->find(key);
      if (pin && i % 5 == 0) held[static_cast<std::size_t>(filler)] = pin;
      if (pin && i % 40 == 1) pin->note_sendfile();
    }
  }
  void run() {
    std::vector<std::thread> threads;
    for (int i = 0; i < fillers; ++i) threads.emplace_back([this, i] { fill(i); });
    for (auto& thread : threads) thread.join();
  }

  tests::TemporaryFolder folder;
  Metrics metrics;
  std::unique_ptr<Cache> cache = Cache::open({folder.path(), size_bytes}, metrics).value();
  std::array<Pin, fillers> held;
  std::atomic<int> stored = 0, refused = 0;
};

std::uint64_t disk_bytes(const std::filesystem::path& folder) {
  std::uint64_t bytes = 0;
  for (const char* shelf : {"small", "medium", "large"}) {
    struct stat status{};
    if (::stat((folder / shelf / "data.mdb").c_str(), &status) == 0) {
      bytes += static_cast<std::uint64_t>(status.st_blocks) * 512;
    }
  }
  return bytes;
}

TEST(Budget, HoldsWhileManyFillsEndAtOnce) {
  Fills fills;
  std::atomic<bool> over = false;
  std::uint64_t most = 0, most_on_disk = 0;
  std::thread watch([&] {
    while (!over) {
      CacheStats stats = fills.cache->stats();
      most = std::max(most, stats.stored_bytes + stats.graveyard_bytes);
      most_on_disk = std::max(most_on_disk, disk_bytes(fills.folder.path()));
    }
  });
  fills.run();
  over = true;
  watch.join();
  EXPECT_GT(fills.cache->stats().evictions, fills.stored / 4u) << "it was full all the time";
  EXPECT_GT(fills.stored, fills.refused * 10);
  EXPECT_LE(most, size_bytes + (2u << 20)) << "the two figures are of two moments";
  EXPECT_LE(most_on_disk, size_bytes + size_bytes / 4);
  RecordProperty("most_on_disk", std::to_string(most_on_disk));
  fills.cache->visit(SIZE_MAX, [](const Object& object) {
    auto number = std::stoul(object.key().substr(1));
    EXPECT_EQ(tests::bytes_of(object), tests::body_of(object.body_bytes(), number));
  });
}

}  // namespace
}  // namespace relay::edge::cache
