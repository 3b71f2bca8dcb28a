// The window, the passage into the store, and the order in which the store's objects leave.
#include "edge/policy/tiers.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "common/base/hash.hpp"
#include "edge/policy/shadow.hpp"

namespace relay::edge::policy {
namespace {

constexpr std::uint64_t mib = 1 << 20;
constexpr Plan by_frequency{0.1, 0.5, 1, 1, 0, true};

std::uint64_t hash_of(std::uint64_t id) {
  return hash64({reinterpret_cast<const char*>(&id), sizeof id});
}

class TiersTest : public testing::Test {
 protected:
  Newcomer newcomer(Id id, std::uint64_t bytes = mib, double value = 1, unsigned group = 0) {
    sketch.add(hash_of(id));
    return {id, hash_of(id), bytes, value, group};
  }
  void use(Tiers& tiers, Id id) {
    sketch.add(hash_of(id));
    tiers.touch(id);
  }
  std::vector<Id> evict_all(Tiers& tiers) {
    std::vector<Id> order;
    while (auto victim = tiers.victim()) {
      order.push_back(*victim);
      tiers.evict(*victim);
    }
    return order;
  }
  Sketch sketch{1 << 16};
};

TEST_F(TiersTest, EqualObjectsLeaveInOrderOfTheirLastUse) {
  Tiers tiers(sketch, 1, by_frequency);
  for (Id id : {1, 2, 3}) tiers.enter_store(newcomer(id));
  use(tiers, 1);
  EXPECT_EQ(evict_all(tiers), (std::vector<Id>{2, 3, 1}));
}

TEST_F(TiersTest, LargeAndCheapLeaveFirst) {
  Tiers tiers(sketch, 1, by_frequency);
  tiers.enter_store(newcomer(1, 1'000));
  tiers.enter_store(newcomer(2, 1'000'000));
  tiers.enter_store(newcomer(3, 1'000'000, 0.1));
  tiers.enter_store(newcomer(4, 1'000'000, 1000));
  EXPECT_EQ(evict_all(tiers), (std::vector<Id>{3, 2, 1, 4}));
}

TEST_F(TiersTest, SizeDoesNotCountWithoutItsExponent) {
  Tiers tiers(sketch, 1, {0.1, 0, 1, 1, 0, true});
  tiers.enter_store(newcomer(1, 1'000));
  tiers.enter_store(newcomer(2, 1'000'000));
  EXPECT_EQ(evict_all(tiers), (std::vector<Id>{1, 2}));
}

TEST_F(TiersTest, UsesAreRememberedAfterEviction) {
  Tiers tiers(sketch, 1, by_frequency);
  tiers.enter_store(newcomer(1));
  for (int i = 0; i < 9; ++i) use(tiers, 1);
  tiers.erase(1);
  tiers.enter_store(newcomer(1));
  tiers.enter_store(newcomer(2));
  EXPECT_EQ(tiers.victim(), 2u);
}

TEST_F(TiersTest, OldUsesLoseAgainstNewOnes) {
  Tiers tiers(sketch, 1, by_frequency);
  tiers.enter_store(newcomer(1));
  for (int i = 0; i < 20; ++i) use(tiers, 1);
  // A stream of one-time objects ages it out in about as many evictions as it had uses.
  bool gone = false;
  for (Id id = 2; id < 200 && !gone; ++id) {
    tiers.enter_store(newcomer(id));
    auto victim = tiers.victim();
    gone = victim == 1u;
    tiers.evict(*victim);
  }
  EXPECT_TRUE(gone);
}

TEST_F(TiersTest, AGroupHasItsOwnVictim) {
  Tiers tiers(sketch, 2, by_frequency);
  tiers.enter_store(newcomer(1, mib, 1, 0));
  tiers.enter_store(newcomer(2, mib, 10, 1));
  EXPECT_EQ(tiers.victim(), 1u);
  EXPECT_EQ(tiers.victim(1), 2u);
  tiers.erase(2);
  EXPECT_FALSE(tiers.victim(1));
}

TEST_F(TiersTest, TheWindowIsInOrderOfLastUse) {
  Tiers tiers(sketch, 1, by_frequency);
  for (Id id : {1, 2, 3}) tiers.enter_window(newcomer(id));
  EXPECT_EQ(tiers.window_bytes(), 3 * mib);
  use(tiers, 1);
  EXPECT_EQ(tiers.oldest(), 2u);
  tiers.promote(2);
  EXPECT_EQ(tiers.oldest(), 3u);
  EXPECT_EQ(tiers.victim(), 2u);
  EXPECT_EQ(tiers.window_bytes(), 2 * mib);
  EXPECT_EQ(tiers.store_bytes(), mib);
}

TEST_F(TiersTest, AdmissionAsksForUses) {
  Tiers tiers(sketch, 1, {0.1, 0.5, 1, 2, 0, true});
  Newcomer once = newcomer(1), twice = newcomer(2);
  sketch.add(twice.hash);
  EXPECT_TRUE(tiers.admits(once, false));
  EXPECT_FALSE(tiers.admits(once, true));
  EXPECT_TRUE(tiers.admits(twice, true));
  tiers.replan({0.1, 0.5, 1, 2, 0, false});
  EXPECT_FALSE(tiers.admits(once, false));
  EXPECT_TRUE(tiers.admits(twice, false));
}

TEST_F(TiersTest, WhatIsStoredAlreadyStaysForWhatIsOver) {
  for (bool stored : {false, true}) {
    Tiers tiers(sketch, 1, {0.1, 0.5, 1, 2, 0, true, stored});
    Id first = stored ? 1 : 11;
    tiers.enter_store(newcomer(first));
    Newcomer once = newcomer(first + 1);
    EXPECT_FALSE(tiers.admits(once, true));
    tiers.revalue(first, 0);
    EXPECT_EQ(tiers.admits(once, true), stored);
  }
}

TEST_F(TiersTest, AdmissionWeighsAgainstTheVictim) {
  Tiers tiers(sketch, 1, {0.1, 0, 1, 1, 2, true});
  for (int i = 0; i < 3; ++i) sketch.add(hash_of(1));
  tiers.enter_store(newcomer(1));  // four uses
  Newcomer candidate = newcomer(2);
  for (int i = 1; i < 7; ++i) sketch.add(candidate.hash);
  EXPECT_FALSE(tiers.admits(candidate, true));
  sketch.add(candidate.hash);  // twice as many as the victim
  EXPECT_TRUE(tiers.admits(candidate, true));
}

TEST_F(TiersTest, AnotherPlanKeepsAgesAndPlacesAnew) {
  Tiers tiers(sketch, 1, by_frequency);
  tiers.enter_store(newcomer(1, 16 * mib));
  for (int i = 0; i < 3; ++i) use(tiers, 1);
  tiers.enter_store(newcomer(2, mib / 16));
  EXPECT_EQ(tiers.victim(), 1u);  // four uses over the root of 256 times the size
  tiers.replan({0.1, 0, 1, 1, 0, true});
  EXPECT_EQ(tiers.victim(), 2u);
  tiers.replan(lru_plan);
  EXPECT_EQ(evict_all(tiers).size(), 2u);
}

TEST_F(TiersTest, UnknownIdsAndOddValuesAreHarmless) {
  Tiers tiers(sketch, 1, by_frequency);
  tiers.touch(9);
  tiers.erase(9);
  EXPECT_FALSE(tiers.victim());
  EXPECT_FALSE(tiers.oldest());
  tiers.enter_store(newcomer(1, 0, std::nan("")));
  tiers.enter_store(newcomer(2, ~0ull, -1.0));
  tiers.enter_store(newcomer(3, 1, 1e300));
  EXPECT_EQ(tiers.victim(), 2u);
  EXPECT_EQ(tiers.size(), 3u);
}

TEST_F(TiersTest, WhatIsOverLeavesFirstUnderEveryPlan) {
  for (const Plan& plan : {by_frequency, lru_plan, Plan{0.1, 1, 1, 2, 1, true}}) {
    Tiers tiers(sketch, 2, plan);
    for (Id id = 1; id <= 6; ++id) tiers.enter_store(newcomer(id, mib, 1, id % 2));
    tiers.evict(*tiers.victim());  // the order has aged
    for (Id id : {7, 8}) tiers.enter_store(newcomer(id));
    for (int i = 0; i < 50; ++i) use(tiers, 8);
    tiers.revalue(8, 0);
    tiers.revalue(4, 0);
    use(tiers, 8);
    EXPECT_EQ(tiers.victim(), 4u);
    tiers.replan(by_frequency);
    tiers.replan(plan);
    auto order = evict_all(tiers);
    ASSERT_EQ(order.size(), 7u);
    EXPECT_EQ(order[0], 4u);
    EXPECT_EQ(order[1], 8u);
  }
}

TEST_F(TiersTest, AValueIsChangedWhereverTheObjectIs) {
  Tiers tiers(sketch, 1, {0.1, 0, 1, 1, 0, true});
  tiers.revalue(9, 0);
  tiers.enter_window(newcomer(1));
  tiers.revalue(1, 0);
  for (Id id : {2, 3, 4}) tiers.enter_store(newcomer(id));
  tiers.promote(1);
  tiers.revalue(2, 16);
  tiers.revalue(3, 0);
  tiers.revalue(3, 1);  // named again
  EXPECT_EQ(evict_all(tiers), (std::vector<Id>{1, 4, 3, 2}));
}

TEST_F(TiersTest, WhatIsOverIsAdmittedOnlyWhileThereIsRoom) {
  Tiers tiers(sketch, 1, by_frequency);
  EXPECT_TRUE(tiers.admits(newcomer(1, mib, 0), false));
  EXPECT_FALSE(tiers.admits(newcomer(1, mib, 0), true));
  EXPECT_TRUE(tiers.admits(newcomer(2, mib, 1), true));
}

/// The same decisions as a plain list, request by request.
TEST_F(TiersTest, TheLruPlanIsLru) {
  Tiers tiers(sketch, 1, lru_plan);
  std::mt19937_64 random(3);
  std::vector<std::uint64_t> list;  // the oldest in front
  for (int i = 0; i < 20'000; ++i) {
    std::uint64_t hash = hash_of(static_cast<std::uint64_t>(std::sqrt(random() % 250'000)));
    sketch.add(hash);
    auto known = std::ranges::find(list, hash);
    bool hit = known != list.end();
    if (hit) list.erase(known);
    list.push_back(hash);
    if (list.size() > 100) list.erase(list.begin());
    ASSERT_EQ(request(tiers, 100 * mib, hash, mib).hit, hit) << i;
  }
}

/// What was popular once does not keep out for good what is popular now.
TEST_F(TiersTest, ARecentMemoryForgetsWhatTheStoreHolds) {
  for (Memory memory : {Memory::lasting, Memory::recent}) {
    Sketch sketch(1024);  // the recent one is halved every 64 additions
    Plan plan{0.1, 0, 1, 1, 1.1, true};
    plan.memory = memory;
    Tiers tiers(sketch, 1, plan);
    for (int i = 0; i < 60; ++i) sketch.add(hash_of(1));
    tiers.enter_store({1, hash_of(1), mib});
    for (Id other = 100; other < 500; ++other) sketch.add(hash_of(other));
    for (int i = 0; i < 20; ++i) sketch.add(hash_of(2));
    EXPECT_EQ(tiers.admits({2, hash_of(2), mib}, true), memory == Memory::recent);
  }
}

TEST_F(TiersTest, TheCapacityHolds) {
  Tiers tiers(sketch, 1, {0.25, 0.5, 1, 2, 1, true});
  std::mt19937_64 random(4);
  for (int i = 0; i < 20'000; ++i) {
    std::uint64_t hash = hash_of(random() % 1000);
    sketch.add(hash);
    request(tiers, 20 * mib, hash, 1 + hash % (2 * mib));
    ASSERT_LE(tiers.window_bytes() + tiers.store_bytes(), 20 * mib);
    ASSERT_LE(tiers.window_bytes(), 5 * mib);
  }
  shrink(tiers, mib);
  EXPECT_LE(tiers.window_bytes() + tiers.store_bytes(), mib);
}

}  // namespace
}  // namespace relay::edge::policy
