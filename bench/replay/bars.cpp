#include "bench/replay/bars.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace relay::bench {
namespace {

using edge::policy::Goal;
using edge::policy::Tally;

constexpr double spare_objects = 0.001, spare_bytes = 0.006;
constexpr double small_size = 0.01;
constexpr double written_share_small = 0.25, written_share_large = 0.5;

Bar judge_misses(const char* what, double mine, double (Tally::*miss)() const, double spare,
                 const std::vector<Rival>& rivals) {
  const Rival& best = *std::ranges::min_element(
      rivals, {}, [&](const Rival& each) { return (each.second.*miss)(); });
  double bar = (best.second.*miss)() + spare;
  return {mine <= bar, fmt::format("{} miss {:.4f}, at most {:.4f} ({} + {})", what, mine, bar,
                                   best.first, spare)};
}

Bar judge_writes(double size, const Tally& ours, const Tally& lru) {
  double share = ours.written_bytes / std::max(1.0, lru.written_bytes);
  double bar = size <= small_size ? written_share_small : written_share_large;
  bool misses_no_more = ours.object_miss() <= lru.object_miss();
  return {share <= bar && misses_no_more,
          fmt::format("written {:.3f} of lru's, at most {}; object miss {:.4f}, lru's {:.4f}",
                      share, bar, ours.object_miss(), lru.object_miss())};
}

}  // namespace

Bar judge(Goal goal, double size, const Tally& ours, const std::vector<Rival>& rivals) {
  switch (goal) {
    case Goal::objects:
      return judge_misses("object", ours.object_miss(), &Tally::object_miss, spare_objects, rivals);
    case Goal::bytes:
      return judge_misses("byte", ours.byte_miss(), &Tally::byte_miss, spare_bytes, rivals);
    case Goal::writes:
      return judge_writes(size, ours, rivals.front().second);
  }
  return {};
}

}  // namespace relay::bench
