#include "origin/live/recording.hpp"

#include <algorithm>

namespace relay::origin::live {
namespace {

using Windows = std::vector<const Window*>;

SegmentSpan covered(const Windows& windows) {
  SegmentSpan all;
  for (const Window* each : windows) {
    if (each->segments().empty()) continue;
    std::int64_t first = each->segments().front().number;
    all.first = all.is_empty() ? first : std::min(all.first, first);
    all.end = std::max(all.end, each->next());
  }
  return all;
}

template <class IsMade>
SegmentSpan without_ends(SegmentSpan span, IsMade is_made) {
  while (!span.is_empty() && !is_made(span.first)) ++span.first;
  while (!span.is_empty() && !is_made(span.end - 1)) --span.end;
  return span;
}

}  // namespace

SegmentSpan recorded_span(const Windows& pictures, const Windows& sounds) {
  Windows all = pictures;
  all.insert(all.end(), sounds.begin(), sounds.end());
  auto has = [](std::int64_t number) {
    return [number](const Window* window) { return window->has(number); };
  };
  auto is_whole = [&](std::int64_t number) {
    return (pictures.empty() || std::ranges::any_of(pictures, has(number))) &&
           std::ranges::all_of(sounds, has(number));
  };
  SegmentSpan whole = without_ends(covered(all), is_whole);
  if (!whole.is_empty()) return whole;
  return without_ends(covered(all),
                      [&](std::int64_t number) { return std::ranges::any_of(all, has(number)); });
}

void narrow(media::LiveWindow& shown, SegmentSpan span) {
  std::erase_if(shown.segments, [&](auto& each) { return !span.holds(each.number); });
}

std::int64_t duration_us(const media::LiveWindow& shown) {
  std::int64_t sum = 0;
  for (const media::LiveSegment& each : shown.segments) sum += each.microseconds;
  return sum;
}

}  // namespace relay::origin::live
