// The order of eviction, and that it is worth having: never behind LRU on a mix of popular titles,
// scans and a live window.
#include "edge/cache/policy.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "common/base/hash.hpp"

namespace relay::edge::cache {
namespace {

std::uint64_t hash_of(std::uint64_t id) {
  return hash64({reinterpret_cast<const char*>(&id), sizeof id});
}

struct Request {
  std::uint64_t id, bytes;
};

/// A third each: titles by Zipf, a scan that never comes back, and a live window of 40 segments
/// that moves on every 100 requests.
std::vector<Request> mix(std::size_t count) {
  std::mt19937_64 random(20261124);
  std::vector<double> weights;
  for (int rank = 1; rank <= 20'000; ++rank) weights.push_back(1.0 / std::pow(rank, 0.9));
  std::discrete_distribution<std::uint64_t> title(weights.begin(), weights.end());
  std::uint64_t scan = 1u << 30;
  std::vector<Request> requests;
  for (std::size_t i = 0; i < count; ++i) {
    std::uint64_t id = 0;
    switch (random() % 3) {
      case 0:
        id = title(random);
        break;
      case 1:
        id = ++scan;
        break;
      default:
        id = (2u << 30) + i / 100 + random() % 40;
    }
    requests.push_back({id, 50'000 + hash_of(id) % 2'000'000});
  }
  return requests;
}

struct Misses {
  std::uint64_t objects = 0, bytes = 0;
};

Misses replay_policy(const std::vector<Request>& requests, std::uint64_t size) {
  Policy policy({});
  std::unordered_map<std::uint64_t, std::uint64_t> here;
  std::uint64_t used = 0;
  Misses misses;
  for (const Request& request : requests) {
    if (here.contains(request.id)) {
      policy.touch(request.id);
      continue;
    }
    ++misses.objects;
    misses.bytes += request.bytes;
    policy.admit(hash_of(request.id));
    while (used + request.bytes > size) {
      auto victim = policy.victim();
      policy.evict(*victim);
      used -= here.extract(*victim).mapped();
    }
    policy.insert(request.id, hash_of(request.id), request.bytes, 1.0);
    here[request.id] = request.bytes;
    used += request.bytes;
  }
  return misses;
}

Misses replay_lru(const std::vector<Request>& requests, std::uint64_t size) {
  std::list<Request> order;
  std::unordered_map<std::uint64_t, std::list<Request>::iterator> here;
  std::uint64_t used = 0;
  Misses misses;
  for (const Request& request : requests) {
    if (auto known = here.find(request.id); known != here.end()) {
      order.splice(order.end(), order, known->second);
      continue;
    }
    ++misses.objects;
    misses.bytes += request.bytes;
    for (; used + request.bytes > size; order.pop_front()) {
      used -= order.front().bytes;
      here.erase(order.front().id);
    }
    here[request.id] = order.insert(order.end(), request);
    used += request.bytes;
  }
  return misses;
}

TEST(Policy, BeatsLruOnAMediaMix) {
  auto requests = mix(150'000);
  for (std::uint64_t size : {200'000'000ull, 2'000'000'000ull}) {
    Misses ours = replay_policy(requests, size), lru = replay_lru(requests, size);
    EXPECT_LT(static_cast<double>(ours.objects), 0.97 * static_cast<double>(lru.objects)) << size;
    EXPECT_LT(static_cast<double>(ours.bytes), 0.99 * static_cast<double>(lru.bytes)) << size;
  }
}

TEST(Policy, EqualObjectsLeaveInOrderOfTheirLastUse) {
  Policy policy({});
  for (std::uint64_t id : {1, 2, 3}) {
    policy.admit(hash_of(id));
    policy.insert(id, hash_of(id), 1000, 1.0);
  }
  policy.touch(1);
  std::vector<std::uint64_t> order;
  while (auto victim = policy.victim()) {
    order.push_back(*victim);
    policy.evict(*victim);
  }
  EXPECT_EQ(order, (std::vector<std::uint64_t>{2, 3, 1}));
}

TEST(Policy, LargeAndCheapLeaveFirst) {
  Policy policy({});
  policy.insert(1, hash_of(1), 1'000, 1.0);
  policy.insert(2, hash_of(2), 1'000'000, 1.0);
  policy.insert(3, hash_of(3), 1'000'000, 0.1);
  policy.insert(4, hash_of(4), 1'000'000, 1000.0);
  EXPECT_EQ(policy.victim(), 3u);
  policy.evict(3);
  EXPECT_EQ(policy.victim(), 2u);
  policy.evict(2);
  EXPECT_EQ(policy.victim(), 1u);
}

TEST(Policy, RemembersUsesAfterEviction) {
  Policy policy({});
  policy.admit(hash_of(1));
  policy.insert(1, hash_of(1), 1000, 1.0);
  for (int i = 0; i < 9; ++i) policy.touch(1);
  policy.erase(1);
  policy.admit(hash_of(1));
  policy.insert(11, hash_of(1), 1000, 1.0);
  policy.admit(hash_of(2));
  policy.insert(12, hash_of(2), 1000, 1.0);
  EXPECT_EQ(policy.victim(), 12u);
}

TEST(Policy, OldUsesLoseAgainstNewOnes) {
  Policy policy({});
  policy.insert(1, hash_of(1), 1000, 1.0);
  for (int i = 0; i < 20; ++i) policy.touch(1);
  // A stream of one-time objects ages it out in about as many evictions as it had uses.
  bool gone = false;
  for (std::uint64_t id = 2; id < 200 && !gone; ++id) {
    policy.insert(id, hash_of(id), 1000, 1.0);
    auto victim = policy.victim();
    gone = victim == 1u;
    policy.evict(*victim);
  }
  EXPECT_TRUE(gone);
}

TEST(Policy, AdmissionFromTheSecondUseOn) {
  Policy policy({.admission_uses = 2});
  EXPECT_FALSE(policy.admit(hash_of(5)));
  EXPECT_TRUE(policy.admit(hash_of(5)));
  EXPECT_TRUE(Policy({}).admit(hash_of(5)));
}

TEST(Policy, UnknownIdsAndOddValuesAreHarmless) {
  Policy policy({});
  policy.touch(9);
  policy.erase(9);
  EXPECT_FALSE(policy.victim());
  policy.insert(1, hash_of(1), 0, std::nan(""));
  policy.insert(2, hash_of(2), ~0ull, -1.0);
  policy.insert(3, hash_of(3), 1, 1e300);
  EXPECT_EQ(policy.victim(), 2u);
  EXPECT_EQ(policy.size(), 3u);
}

TEST(Sketch, CountsAndSaturates) {
  Sketch sketch(1024);
  for (int i = 0; i < 3; ++i) sketch.add(hash_of(1));
  EXPECT_EQ(sketch.count(hash_of(1)), 3u);
  EXPECT_EQ(sketch.count(hash_of(2)), 0u);
  for (int i = 0; i < 300; ++i) sketch.add(hash_of(1));
  EXPECT_EQ(sketch.count(hash_of(1)), 255u);
}

TEST(Sketch, OverestimatesLittle) {
  Sketch sketch(4096);
  for (std::uint64_t id = 0; id < 1000; ++id) sketch.add(hash_of(id));
  int wrong = 0;
  for (std::uint64_t id = 0; id < 1000; ++id) {
    EXPECT_GE(sketch.count(hash_of(id)), 1u);
    wrong += sketch.count(hash_of(id)) > 1;
  }
  EXPECT_LT(wrong, 10);
}

TEST(Sketch, HalvesInTheLongRun) {
  Sketch sketch(64);
  for (int i = 0; i < 8 * 64 - 1; ++i) sketch.add(hash_of(1));
  EXPECT_EQ(sketch.count(hash_of(1)), 255u);
  sketch.add(hash_of(1));
  EXPECT_EQ(sketch.count(hash_of(1)), 127u);
}

}  // namespace
}  // namespace relay::edge::cache
