#include "origin/clip/ranges.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <set>

namespace relay::origin::clip {
namespace {

using Numbers = std::set<std::int64_t>;

Numbers numbers_of(const std::vector<Range>& ranges) {
  Numbers numbers;
  for (const Range& each : ranges)
    for (std::int64_t number = each.first; number <= each.last; ++number) numbers.insert(number);
  return numbers;
}

TEST(ClipRanges, AreWhatTheirNumbersAre) {
  std::mt19937 random(5);
  auto below = [&](std::int64_t bound) { return static_cast<std::int64_t>(random()) % bound; };
  for (int round = 0; round < 300; ++round) {
    std::vector<Range> held;
    for (std::int64_t i = below(8); i >= 0; --i) {
      std::int64_t first = below(40);
      held.push_back({first, first + below(8) - 1});
    }
    Ranges ranges(held);
    Numbers all = numbers_of(held);
    for (std::int64_t number = -1; number < 50; ++number)
      ASSERT_EQ(ranges.has(number), all.contains(number)) << round << " " << number;
    Range asked{below(40), 0};
    asked.last = asked.first + below(20) - 1;
    auto rest = ranges.without(asked);
    Numbers expected;
    for (std::int64_t number : numbers_of({asked}))
      if (!all.contains(number)) expected.insert(number);
    ASSERT_EQ(numbers_of(rest), expected) << round;
    for (std::size_t i = 1; i < rest.size(); ++i)
      ASSERT_GT(rest[i].first, rest[i - 1].last + 1) << round << ": as few as can be";
  }
}

struct Counting {
  std::size_t* count;
  bool operator()(std::int64_t a, std::int64_t b) const { return ++*count, a < b; }
};

/// Comparisons when `clips` of them, each of ten segments and every second one apart from the next,
/// are asked about all segments of a long one, one by one and at once.
std::size_t comparisons(std::int64_t clips) {
  std::size_t count = 0;
  std::vector<Range> held;
  for (std::int64_t i = 0; i < clips; ++i)
    held.push_back({i / 2 * 30 + i % 2 * 5, i / 2 * 30 + i % 2 * 5 + 9});
  Ranges ranges(std::move(held), Counting{&count});
  for (std::int64_t number = 0; number < clips; ++number) ranges.has(number);
  EXPECT_EQ(ranges.without({0, 15 * clips - 1}).size(), static_cast<std::size_t>(clips / 2));
  return count;
}

TEST(ClipRanges, CostOfNGrowsAsNLogN) {
  for (std::int64_t clips : {64, 1024, 16384, 262144}) {
    double n = static_cast<double>(clips);
    EXPECT_LT(static_cast<double>(comparisons(clips)), 6 * n * std::log2(n)) << clips;
  }
}

}  // namespace
}  // namespace relay::origin::clip
