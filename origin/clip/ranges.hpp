// Numbers as ranges: many that overlap become few that do not, and then each question costs a
// binary search. Pure.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace relay::origin::clip {

/// From first to last, both included; empty when last is less.
struct Range {
  std::int64_t first = 0, last = -1;
  bool operator==(const Range&) const = default;
};

/// `Less` orders numbers: a test counts how often it is asked.
template <class Less = std::less<>>
class Ranges {
 public:
  /// n log n comparisons.
  explicit Ranges(std::vector<Range> of, Less less = {}) : less_(less) {
    std::erase_if(of, [&](const Range& each) { return less_(each.last, each.first); });
    std::ranges::sort(of, less_, &Range::first);
    for (const Range& each : of) {
      bool is_apart = merged_.empty() || less_(merged_.back().last + 1, each.first);
      if (is_apart)
        merged_.push_back(each);
      else if (less_(merged_.back().last, each.last))
        merged_.back().last = each.last;
    }
  }

  bool has(std::int64_t number) const {
    auto at = reaching(number);
    return at != merged_.end() && !less_(number, at->first);
  }

  /// What of `range` is in none of these: log n comparisons and two for each of them inside.
  std::vector<Range> without(Range range) const {
    std::vector<Range> rest;
    auto at = reaching(range.first);
    for (; at != merged_.end() && !less_(range.last, at->first); ++at) {
      if (less_(range.first, at->first)) rest.push_back({range.first, at->first - 1});
      range.first = at->last + 1;
    }
    if (!less_(range.last, range.first)) rest.push_back(range);
    return rest;
  }

 private:
  /// The first that ends at `number` or later.
  auto reaching(std::int64_t number) const {
    return std::ranges::lower_bound(merged_, number, less_, &Range::last);
  }

  Less less_;
  std::vector<Range> merged_;  // sorted, with a number between each and the next
};

}  // namespace relay::origin::clip
