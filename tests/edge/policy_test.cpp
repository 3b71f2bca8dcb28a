// The tuner: that it finds the plan that suits the traffic, and that its expectations hold.
#include "edge/policy/policy.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "common/base/hash.hpp"
#include "edge/policy/shadow.hpp"

namespace relay::edge::policy {
namespace {

struct Wanted {
  std::uint64_t hash, bytes;
};

Wanted wanted(std::uint64_t id) {
  std::uint64_t hash = hash64({reinterpret_cast<const char*>(&id), sizeof id});
  return {hash, 50'000 + hash % 2'000'000};
}

/// A third each: titles by Zipf, a scan that never comes back, and a live window of 40 segments
/// that moves on every 100 requests.
std::vector<Wanted> media_mix(std::size_t count) {
  std::mt19937_64 random(20261124);
  std::vector<double> weights;
  for (int rank = 1; rank <= 20'000; ++rank) weights.push_back(1.0 / std::pow(rank, 0.9));
  std::discrete_distribution<std::uint64_t> title(weights.begin(), weights.end());
  std::vector<Wanted> uses;
  for (std::size_t i = 0; i < count; ++i) {
    switch (random() % 3) {
      case 0:
        uses.push_back(wanted(title(random)));
        break;
      case 1:
        uses.push_back(wanted((1u << 30) + i));
        break;
      default:
        uses.push_back(wanted((2u << 30) + i / 100 + random() % 40));
    }
  }
  return uses;
}

/// The same objects round and round, twice as many as fit.
std::vector<Wanted> loop(std::size_t count, std::size_t objects) {
  std::vector<Wanted> uses;
  for (std::size_t i = 0; i < count; ++i) uses.push_back(wanted(i % objects));
  return uses;
}

Use asked(const Wanted& use, const Policy& policy) {
  return {use.hash, use.bytes, use.bytes, policy.tiers().has(use.hash)};
}

Tally replay(const std::vector<Wanted>& uses, std::uint64_t capacity, Policy& policy) {
  Tally tally;
  for (const Wanted& use : uses) {
    policy.note(asked(use, policy));
    tally.add(use.bytes, request(policy.tiers(), capacity, use.hash, use.bytes));
  }
  return tally;
}

Tally replay(const std::vector<Wanted>& uses, std::uint64_t capacity, Goal goal) {
  Policy policy({.goal = goal, .capacity_bytes = capacity, .window_bytes_max = capacity / 2});
  return replay(uses, capacity, policy);
}

Tally replay_lru(const std::vector<Wanted>& uses, std::uint64_t capacity) {
  Sketch sketch(64);
  Tiers tiers(sketch, 1, lru_plan);
  Tally tally;
  for (const Wanted& use : uses)
    tally.add(use.bytes, request(tiers, capacity, use.hash, use.bytes));
  return tally;
}

TEST(Policy, BeatsLruOnAMediaMix) {
  auto uses = media_mix(100'000);
  for (std::uint64_t size : {200'000'000ull, 2'000'000'000ull}) {
    Tally lru = replay_lru(uses, size);
    Tally objects = replay(uses, size, Goal::objects), bytes = replay(uses, size, Goal::bytes);
    EXPECT_LT(objects.misses, 0.95 * lru.misses) << size;
    EXPECT_LT(bytes.missed_bytes, 0.97 * lru.missed_bytes) << size;
    EXPECT_LE(objects.misses, bytes.misses) << size;
    EXPECT_LE(bytes.missed_bytes, objects.missed_bytes) << size;
  }
}

TEST(Policy, SavesWritesAndMissesNoMoreThanLru) {
  auto uses = media_mix(100'000);
  for (std::uint64_t size : {200'000'000ull, 2'000'000'000ull}) {
    Tally lru = replay_lru(uses, size), mine = replay(uses, size, Goal::writes);
    EXPECT_LT(mine.written_bytes, 0.25 * lru.written_bytes) << size;
    EXPECT_LE(mine.misses, lru.misses) << size;
  }
}

TEST(Policy, ALoopLargerThanTheCacheIsKeptInPart) {
  auto uses = loop(60'000, 2000);
  std::uint64_t capacity = 1'000'000'000;  // about half of it
  EXPECT_GT(replay_lru(uses, capacity).object_miss(), 0.999);
  EXPECT_LT(replay(uses, capacity, Goal::objects).object_miss(), 0.75);
}

TEST(Policy, TheWindowKeepsToItsMemory) {
  auto uses = media_mix(50'000);
  std::uint64_t capacity = 200'000'000;
  Policy policy(
      {.goal = Goal::objects, .capacity_bytes = capacity, .window_bytes_max = capacity / 50});
  for (const Wanted& use : uses) {
    policy.note(asked(use, policy));
    request(policy.tiers(), capacity, use.hash, use.bytes);
    ASSERT_LE(policy.window_bytes(), capacity / 50);
    ASSERT_LE(policy.tiers().window_bytes(), capacity / 50);
  }
}

TEST(Policy, AStoredWindowIsAsGoodAsOneInMemoryAndWritesWhatItMisses) {
  auto uses = media_mix(100'000);
  for (std::uint64_t capacity : {200'000'000ull, 2'000'000'000ull}) {
    Policy stored({.goal = Goal::objects, .capacity_bytes = capacity, .window_bytes_max = 0});
    Tally mine = replay(uses, capacity, stored), memory = replay(uses, capacity, Goal::objects);
    EXPECT_NEAR(mine.object_miss(), memory.object_miss(), 0.01) << capacity;
    EXPECT_LE(mine.written_bytes, mine.missed_bytes) << capacity;
    EXPECT_GT(mine.written_bytes, 0.9 * mine.missed_bytes) << capacity;
    EXPECT_LT(memory.written_bytes, 0.9 * memory.missed_bytes) << capacity;
  }
}

TEST(Tuner, TheFirstPlanStandsUntilTheCacheIsFull) {
  Policy policy({.goal = Goal::bytes, .capacity_bytes = 1ull << 50, .window_bytes_max = 1 << 30});
  Plan before = policy.tuner().plan();
  replay(media_mix(50'000), 1ull << 50, policy);
  EXPECT_EQ(policy.tuner().plan(), before);
  EXPECT_EQ(policy.tiers().plan(), before);
}

TEST(Tuner, TheSampleShrinksToItsMemory) {
  Sketch sketch(1 << 18);
  Tuner tuner(sketch, {.goal = Goal::objects, .capacity_bytes = 1ull << 40, .entries_max = 4096});
  auto uses = media_mix(100'000);
  for (const Wanted& use : uses) {
    sketch.add(use.hash);
    tuner.request({use.hash, use.bytes, use.bytes});
  }
  EXPECT_LT(tuner.sampled_share(), 0.1);
  EXPECT_LT(tuner.sampled_keys(), 4096u);
  EXPECT_GT(tuner.sampled_keys(), 50u);
}

TEST(Tuner, ExpectsWhatOtherSizesWouldMiss) {
  auto uses = media_mix(200'000);
  std::uint64_t capacity = 2'000'000'000;
  Policy policy(
      {.goal = Goal::objects, .capacity_bytes = capacity, .window_bytes_max = capacity / 2});
  replay(uses, capacity, policy);
  EXPECT_LT(policy.tuner().sampled_share(), 1);
  auto expected = policy.tuner().expectations();
  ASSERT_EQ(expected.size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) {
    double size = std::ldexp(0.5, static_cast<int>(i));
    EXPECT_EQ(expected[i].size, size);
    auto bytes = static_cast<std::uint64_t>(size * static_cast<double>(capacity));
    Tally real = replay(uses, bytes, Goal::objects);
    EXPECT_NEAR(expected[i].object_miss, real.object_miss(), 0.05) << size;
    EXPECT_NEAR(expected[i].byte_miss, real.byte_miss(), 0.08) << size;
    EXPECT_GT(expected[i].object_error, 0);
    EXPECT_LT(expected[i].object_error, 0.05);
  }
  EXPECT_GT(expected[0].object_miss, expected[3].object_miss);
}

/// Small objects by the ten thousand, and ten files of which six would fill the cache.
TEST(Tuner, ASampleHoldsFilesThatAreLargerThanItsShare) {
  std::uint64_t capacity = 1'200'000'000;
  std::mt19937_64 random(20261125);
  std::vector<Wanted> uses;
  for (int i = 0; i < 200'000; ++i) {
    std::uint64_t large = random() % 10, small = random() % 40'000;
    bool asks_large = i % 100 == 0;
    uses.push_back({wanted(asks_large ? 1'000'000 + large : small).hash,
                    asks_large ? 150'000'000u + 1'000'000 * large : 10'000u});
  }
  Policy policy(
      {.goal = Goal::bytes, .capacity_bytes = capacity, .window_bytes_max = capacity / 2});
  Tally real = replay(uses, capacity, policy);
  ASSERT_LT(policy.tuner().sampled_share(), 0.13);  // a sixth of 1.2 GB holds one such file
  EXPECT_LT(real.byte_miss(), 0.7);
  for (const Expectation& each : policy.tuner().expectations()) {
    if (each.size == 1) EXPECT_NEAR(each.byte_miss, real.byte_miss(), 0.1);
  }
}

TEST(Policy, AWindowThatShrinksGivesItsRoomBack) {
  Sketch sketch(64);
  Tiers tiers(sketch, 1, {.window_share = 0.5});
  for (std::uint64_t key = 1; key <= 5; ++key) request(tiers, 1000, key, 100);
  EXPECT_EQ(tiers.window_bytes(), 500u);
  tiers.replan(lru_plan);
  request(tiers, 1000, 6, 100);
  EXPECT_EQ(tiers.window_bytes(), 0u);
  EXPECT_EQ(tiers.store_bytes(), 600u);
}

TEST(Tuner, KnowsNothingBeforeTheFirstRequest) {
  Sketch sketch(64);
  Tuner tuner(sketch, {.goal = Goal::bytes, .capacity_bytes = 1 << 30});
  for (const Expectation& each : tuner.expectations()) {
    EXPECT_EQ(each.object_miss, 1);
    EXPECT_EQ(each.object_error, 1);
  }
  EXPECT_FALSE(tuner.forecast().known);
  tuner.request({.hash = 1, .bytes = 100, .charge_bytes = 4096});
  EXPECT_TRUE(tuner.forecast().known);
}

}  // namespace
}  // namespace relay::edge::policy
