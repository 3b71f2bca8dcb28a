// A store that was stopped or killed and then damaged at random places, some hundred times. Each
// time another process opens it, reads all, stores, evicts and removes for a while, stops it and
// opens it again: no crash, no hang, no wrong byte, nothing that was removed. What is damaged is a
// miss.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <future>
#include <random>

#include "common/base/sanitizers.hpp"
#include "edge/cache/cache.hpp"
#include "tests/support/cache_bodies.hpp"
#include "tests/support/temporary_folder.hpp"

namespace relay::edge::cache {
namespace {

namespace fs = std::filesystem;
using tests::body_of;
using tests::new_object;
using Bodies = std::vector<std::string>;
using Random = std::mt19937;

constexpr std::uint64_t store_bytes = 8 << 20;
constexpr std::size_t unit = 4096;
constexpr std::size_t old_count = 48, new_count = 12;

std::string read_all(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return std::string{std::istreambuf_iterator<char>(stream), {}};
}

/// Small, medium and large ones; some with long heads.
std::size_t size_of(std::size_t i) {
  return i % 16 == 7  ? 700'000 + i
         : i % 3 == 0 ? 300 * i
         : i % 3 == 1 ? 9'000 + i
                      : 40'000 + 3'000 * i;
}

Bodies made_bodies(std::size_t count, std::uint64_t seed) {
  Bodies bodies;
  for (std::size_t i = 0; i < count; ++i) bodies.push_back(body_of(size_of(i), seed + i));
  return bodies;
}

const Bodies& old_bodies() {
  static const Bodies bodies = made_bodies(old_count, 1);
  return bodies;
}
const Bodies& new_bodies() {
  static const Bodies bodies = made_bodies(new_count, 1000);
  return bodies;
}

std::string key_of(std::size_t i) {
  return "/object/" + std::to_string(i);
}

std::string head_of(std::size_t i) {
  return std::string(i % 5 == 0 ? 3000 : 100, static_cast<char>('a' + i % 26));
}

bool is_removed(std::size_t i) {
  return i % 6 == 5;
}

std::unique_ptr<Cache> opened(const fs::path& folder, Metrics& metrics) {
  auto cache = Cache::open({folder.string(), store_bytes}, metrics);
  return cache ? std::move(*cache) : nullptr;
}

/// More than there is room for: others are evicted.
void store_others(Cache& cache) {
  static const std::string body = body_of(300'000, 5);
  for (int i = 0; i < 16; ++i) {
    NewObject object = new_object("/other/" + std::to_string(i), body);
    object.awaited = true;
    cache.store(std::move(object), [](bool) {});
    if (i % 4 == 3) cache.wait_until_answered();
  }
}

void store_all(Cache& cache, const Bodies& bodies) {
  for (std::size_t i = 0; i < bodies.size(); ++i) {
    NewObject object = new_object(key_of(i), bodies[i], head_of(i));
    object.awaited = true;
    cache.store(std::move(object), [](bool) {});
    if (i % 4 == 3) cache.wait_until_answered();  // the queue is short
  }
  cache.wait_until_answered();
}

void remove_some(Cache& cache) {
  std::promise<void> durable;
  auto is_one = [](std::string_view key) {
    for (std::size_t i = 0; i < old_count; ++i) {
      if (is_removed(i) && key == key_of(i)) return true;
    }
    return false;
  };
  cache.remove_if(is_one, [&] { durable.set_value(); });
  durable.get_future().wait();
}

/// How many of `bodies` are found; nothing when a wrong one is. An object may have the newer body.
std::optional<int> found_right(Cache& cache, bool newer_too) {
  int right = 0;
  for (std::size_t i = 0; i < old_count; ++i) {
    Pin pin = cache.find(key_of(i));
    if (!pin || !pin->verify()) continue;
    bool is_new = newer_too && i < new_count && pin->digest() == digest128(new_bodies()[i]);
    const std::string& body = is_new ? new_bodies()[i] : old_bodies()[i];
    if (tests::bytes_of(*pin) != body || pin->head() != head_of(i)) return std::nullopt;
    if (is_removed(i) && !is_new) return std::nullopt;
    ++right;
  }
  return right;
}

enum Verdict { harmless = 10, lost_some = 11, lost_all = 12, wrong_byte = 13, not_opened = 14 };

int use(const fs::path& folder, int sound) {
  int right = 0;
  for (bool again : {false, true}) {
    Metrics metrics;
    auto cache = opened(folder, metrics);
    if (!cache) return not_opened;
    auto ahead = found_right(*cache, again);
    cache->wait_until_whole();
    auto whole = found_right(*cache, again);
    if (!again) right = whole.value_or(0);
    store_all(*cache, new_bodies());
    store_others(*cache);
    auto later = found_right(*cache, true);
    remove_some(*cache);
    if (!ahead || !whole || !later || !found_right(*cache, true)) return wrong_byte;
  }
  return right == sound ? harmless : right > 0 ? lost_some : lost_all;
}

/// In a process of its own; -1: it crashed, or hung.
template <class Work>
int in_child(Work&& work) {
  pid_t child = fork();
  if (child == 0) {
    alarm(60);
    _exit(work());
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

std::size_t any_page(const std::string& bytes, Random& random) {
  return random() % (bytes.size() / unit) * unit;
}

/// In one of the pages of trees, of those that look like it, or anywhere.
std::size_t some_page(const std::string& bytes, Random& random) {
  for (int tries = random() % 4 ? 200 : 0; tries > 0; --tries) {
    std::size_t page = any_page(bytes, random);
    bool tree = bytes[page + 10] > 0 && bytes[page + 10] < 9 && bytes[page + 11] == 0;
    if (tree && static_cast<unsigned char>(bytes[page]) == page / unit % 256) return page;
  }
  return any_page(bytes, random);
}

void damage(std::string& bytes, Random& random) {
  std::size_t page = some_page(bytes, random);
  std::size_t bit = random() % (8 * (random() % 3 ? 64 : unit));
  switch (random() % 8) {
    case 0:
      for (std::size_t at = 0; at < unit; ++at) bytes[page + at] = static_cast<char>(random());
      break;
    case 1:
      bytes.replace(page, unit, unit, random() % 2 ? '\0' : '\xff');
      break;
    case 2: {  // torn, or in another's place
      std::size_t size = random() % 2 ? unit : unit / 2;
      bytes.replace(page, size, bytes.substr(some_page(bytes, random), size));
      break;
    }
    case 3:  // the same, with the number that belongs there
      bytes.replace(page + 8, unit - 8, bytes.substr(some_page(bytes, random) + 8, unit - 8));
      break;
    default:
      bytes[page + bit / 8] = static_cast<char>(bytes[page + bit / 8] ^ 1 << bit % 8);
  }
}

void damage_file(const fs::path& path, Random& random) {
  std::string bytes = read_all(path);
  std::size_t size = bytes.size();
  if (size < unit) return;
  for (int times = random() % 5 ? 1 : 3; times > 0; --times) damage(bytes, random);
  bytes.resize(random() % 40 ? size : random() % size);
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

class StoreDamage : public testing::TestWithParam<bool> {};

TEST_P(StoreDamage, IsAMissAndNeverACrash) {
  constexpr int rounds = sanitized ? 20 : 100;
  tests::TemporaryFolder folder;
  bool killed = GetParam();
  ASSERT_EQ(in_child([&] {
              Metrics metrics;
              auto cache = opened(folder.path(), metrics);
              store_all(*cache, old_bodies());
              remove_some(*cache);
              int right = found_right(*cache, false).value_or(0);
              if (killed) (void)cache.release();  // else it is stopped
              return right == old_count - old_count / 6 ? 0 : 1;
            }),
            0);
  int seen[20] = {};
  for (int round = 0; round < rounds; ++round) {
    Random random(static_cast<unsigned>(round + (killed ? 0 : 100'000)));
    tests::TemporaryFolder copy;
    constexpr auto how = fs::copy_options::recursive | fs::copy_options::overwrite_existing;
    fs::copy(folder.path(), copy.path(), how);
    const char* shelf = random() % 2 ? "small" : random() % 3 ? "medium" : "large";
    damage_file(copy / shelf / "data.mdb", random);
    int verdict = in_child([&] { return use(copy.path(), old_count - old_count / 6); });
    ASSERT_TRUE(verdict >= harmless && verdict <= lost_all) << verdict << " in round " << round;
    ++seen[verdict];
  }
  RecordProperty("harmless", seen[harmless]);
  EXPECT_GT(seen[lost_some], rounds / 20);
  EXPECT_GT(seen[lost_all], rounds / 20);
  EXPECT_GT(seen[harmless], rounds / 20);
}

INSTANTIATE_TEST_SUITE_P(After, StoreDamage, testing::Bool(), [](const auto& each) {
  return each.param ? std::string("AKill") : std::string("AStop");
});

}  // namespace
}  // namespace relay::edge::cache
