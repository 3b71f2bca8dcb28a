// Where a channel's transcoder goes on that is started now. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/media/live.hpp"
#include "origin/live/window.hpp"

namespace relay::origin::live {

struct Reached {
  std::string rendition;
  const Window* window = nullptr;
};

/// Fills in `first_segment` and `begun` of a job: what no window shows anything of may be made from
/// the segment `at_hand` on, and what parts were shown of is taken up if it can still be made
/// whole. A rendition that is further behind is not being made (it was shed): it is none of
/// `begun`, for its part would be made from the segment's begin.
void go_on(const std::vector<Reached>& renditions, std::int64_t at_hand, media::LiveJob& job);

}  // namespace relay::origin::live
