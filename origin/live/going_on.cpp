#include "origin/live/going_on.hpp"

#include <algorithm>

namespace relay::origin::live {

void go_on(const std::vector<Reached>& renditions, std::int64_t at_hand, media::LiveJob& job) {
  job.first_segment = at_hand;
  job.begun.clear();
  std::int64_t half_done = INT64_MAX;  // the first segment that is
  for (const Reached& each : renditions) {
    media::LivePosition reached = each.window->reached();
    job.first_segment = std::max(job.first_segment, reached.segment + (reached.part > 0 ? 1 : 0));
    // Earlier ones become gaps any moment.
    if (reached.part > 0 && reached.segment >= at_hand - 1)
      half_done = std::min(half_done, reached.segment);
  }
  if (half_done == INT64_MAX) return;
  for (const Reached& each : renditions) {
    media::LivePosition reached = each.window->reached();
    if (reached.segment < half_done) continue;
    job.begun.push_back({each.rendition, reached.segment, reached.part});
  }
}

}  // namespace relay::origin::live
