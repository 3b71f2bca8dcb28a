#include "origin/live/deadlines.hpp"

#include <algorithm>

namespace relay::origin::live {

using std::chrono::milliseconds;

namespace {

/// Of long segments: viewers need not wait any longer for what will not come.
constexpr milliseconds gap_after_max{2'000};

/// Of segments of one second half of one would be no longer than a part takes: those are told of
/// 0.5 s late rather than given up in vain.
constexpr milliseconds gap_after_min{1'000};

milliseconds half_of(std::int64_t target_duration_s) {
  return std::max(gap_after_min, milliseconds(target_duration_s * 1'000 / 2));
}

}  // namespace

milliseconds quiet_before_gap(std::int64_t target_duration_s) {
  return std::min(gap_after_max, half_of(target_duration_s));
}

milliseconds gap_after(std::int64_t target_duration_s, std::optional<milliseconds> lateness) {
  if (!lateness) return gap_after_max;
  milliseconds allowed = half_of(target_duration_s) + std::max(*lateness, milliseconds(0));
  return std::min(gap_after_max, allowed - tick_interval);
}

milliseconds part_stays(std::int64_t target_duration_s) {
  return milliseconds(3 * target_duration_s * 1'000);
}

}  // namespace relay::origin::live
