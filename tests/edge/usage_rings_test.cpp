// Reports of uses: all come, or those that come stand for all.
#include "edge/cache/usage_rings.hpp"

#include <gtest/gtest.h>

namespace relay::edge::cache {
namespace {

double drained(UsageRings& rings, std::size_t& count) {
  double sum = 0;
  count = rings.drain([&](std::uint64_t, double weight) { sum += weight; });
  return sum;
}

TEST(UsageRings, EachReportComesOnce) {
  UsageRings rings;
  for (std::uint64_t id = 1; id <= 100; ++id) rings.report(id);
  std::size_t count = 0;
  EXPECT_EQ(drained(rings, count), 100);
  EXPECT_EQ(count, 100u);
  EXPECT_EQ(drained(rings, count), 0);
}

TEST(UsageRings, WhatIsLeftStandsForWhatWasLost) {
  UsageRings rings;
  for (std::uint64_t id = 1; id <= 3 * UsageRings::ring_slots; ++id) rings.report(id);
  std::size_t count = 0;
  EXPECT_DOUBLE_EQ(drained(rings, count), 3.0 * UsageRings::ring_slots);
  EXPECT_EQ(count, UsageRings::ring_slots);
  rings.report(1);
  EXPECT_EQ(drained(rings, count), 1);
}

}  // namespace
}  // namespace relay::edge::cache
