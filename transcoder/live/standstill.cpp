#include "transcoder/live/standstill.hpp"

#include <algorithm>

namespace relay::transcoder::live {

void Standstill::end(std::int64_t now_us) {
  std::int64_t length = known_ ? now_us - changed_us_ : 0;
  if (length >= noted_us) {
    while (!pauses_.empty() && pauses_.back().length_us <= length) pauses_.pop_back();
    pauses_.push_back({now_us, length});
  }
  while (!pauses_.empty() && now_us - pauses_.front().end_us > remembered_us) pauses_.pop_front();
  changed_us_ = now_us;
  known_ = true;
}

Standing Standstill::at(std::int64_t now_us) const {
  auto is_recent = [&](const Pause& pause) { return now_us - pause.end_us <= remembered_us; };
  auto longest = std::ranges::find_if(pauses_, is_recent);
  return {.known = known_,
          .still_us = known_ ? std::max<std::int64_t>(0, now_us - changed_us_) : 0,
          .longest_us = longest == pauses_.end() ? 0 : longest->length_us};
}

}  // namespace relay::transcoder::live
