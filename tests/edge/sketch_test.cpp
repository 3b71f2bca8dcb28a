#include "edge/policy/sketch.hpp"

#include <gtest/gtest.h>

#include "common/base/hash.hpp"

namespace relay::edge::policy {
namespace {

std::uint64_t hash_of(std::uint64_t id) {
  return hash64({reinterpret_cast<const char*>(&id), sizeof id});
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

TEST(Sketch, ForgetsAsTheCacheTurnsOver) {
  Sketch sketch(1024);
  constexpr std::size_t objects = 20;  // so halved every 160 additions
  for (int i = 0; i < 159; ++i) sketch.add(hash_of(1), objects);
  EXPECT_EQ(sketch.count(hash_of(1), Memory::recent), 159u);
  sketch.add(hash_of(2), objects);
  EXPECT_EQ(sketch.count(hash_of(1), Memory::recent), 79u);
  EXPECT_EQ(sketch.count(hash_of(1), Memory::lasting), 159u);
  EXPECT_EQ(sketch.count(hash_of(2), Memory::recent), 0u);
  EXPECT_EQ(sketch.count(hash_of(2)), 1u);
}

TEST(Sketch, HalvesTheRecentMemoryNotOftenerThanItsSizeAllows) {
  Sketch sketch(1024);
  for (int i = 0; i < 63; ++i) sketch.add(hash_of(1), 1);
  EXPECT_EQ(sketch.count(hash_of(1), Memory::recent), 63u);
  sketch.add(hash_of(1), 1);
  EXPECT_EQ(sketch.count(hash_of(1), Memory::recent), 32u);
}

}  // namespace
}  // namespace relay::edge::policy
