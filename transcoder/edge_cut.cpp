#include "transcoder/edge_cut.hpp"

#include <algorithm>
#include <cstdlib>

#include "common/base/check.hpp"

namespace relay::transcoder {
namespace {

constexpr std::int64_t second_ns = 1'000'000'000;
constexpr std::int64_t beyond_ns = 10 * second_ns;  // more than renditions' frames lie apart

std::int64_t rescaled(std::int64_t value, std::int64_t from, std::int64_t to) {
  __int128 scaled = static_cast<__int128>(value) * to;
  return static_cast<std::int64_t>((2 * scaled + from) / (2 * from));
}

/// Edges between the frames: the begin of frame i, at the end that of the last one.
std::int64_t edge_ns(const EdgeFrames& of, std::size_t i) {
  std::int64_t ticks = i < of.frames.size() ? of.frames[i].pts : of.frames.back().end();
  return nanoseconds_of(ticks, of.timescale);
}

std::int64_t part_ns(const EdgeFrames& of, std::int64_t parts) {
  return nanoseconds_of(of.frames.front().duration, of.timescale) / parts;
}

std::size_t nearest_edge(const EdgeFrames& of, std::int64_t ns) {
  std::size_t best = 0;
  for (std::size_t i = 1; i <= of.frames.size(); ++i)
    if (std::abs(edge_ns(of, i) - ns) < std::abs(edge_ns(of, best) - ns)) best = i;
  return best;
}

}  // namespace

std::int64_t nanoseconds_of(std::int64_t ticks, std::int64_t timescale) {
  return rescaled(ticks, timescale, second_ns);
}

EdgeSpan exact_span(const EdgeFrames& of, const EdgeSpan& wish) {
  RELAY_CHECK(!of.frames.empty());
  std::int64_t slack = part_ns(of, 8);
  std::size_t count = of.frames.size(), first = 0;
  while (first + 1 < count && edge_ns(of, first + 1) <= wish.from_ns + slack) ++first;
  std::size_t end = first + 1;
  while (end < count && edge_ns(of, end) < wish.to_ns - slack) ++end;
  return {edge_ns(of, first), edge_ns(of, end)};
}

EdgeSpan opened(EdgeSpan span, bool cuts_begin, bool cuts_end) {
  if (!cuts_begin) span.from_ns -= beyond_ns;
  if (!cuts_end) span.to_ns += beyond_ns;
  return span;
}

EdgeCut cut_pictures(const EdgeFrames& of, const EdgeSpan& span) {
  RELAY_CHECK(!of.frames.empty());
  std::int64_t slack = part_ns(of, 4);
  std::size_t count = of.frames.size();
  EdgeCut cut;
  while (cut.first + 1 < count && edge_ns(of, cut.first + 1) <= span.from_ns + slack) ++cut.first;
  cut.end = cut.first + 1;
  while (cut.end < count && edge_ns(of, cut.end) < span.to_ns - slack) ++cut.end;
  cut.start = of.frames[cut.first].pts;
  if (edge_ns(of, cut.first) < span.from_ns - slack)
    cut.start = rescaled(span.from_ns, second_ns, of.timescale);
  cut.stop = of.frames[cut.end - 1].end();
  if (edge_ns(of, cut.end) > span.to_ns + slack)
    cut.stop = rescaled(span.to_ns, second_ns, of.timescale);
  // Of a clip that is shorter than a picture of this rendition.
  if (cut.stop <= cut.start) cut.stop = of.frames[cut.end - 1].end();
  return cut;
}

std::vector<EdgeRun> runs_of(const EdgeFrames& of, const EdgeCut& cut,
                             std::span<const std::size_t> keys) {
  // A picture that is shown for a part of its time makes a group that is not whole.
  std::size_t whole_from = cut.first + (cut.start > of.frames[cut.first].pts ? 1 : 0);
  std::size_t whole_to = cut.end - (cut.stop < of.frames[cut.end - 1].end() ? 1 : 0);
  std::vector<EdgeRun> runs;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    std::size_t begin = keys[i], end = i + 1 < keys.size() ? keys[i + 1] : of.frames.size();
    EdgeRun run{std::max(begin, cut.first), std::min(end, cut.end),
                begin >= whole_from && end <= whole_to};
    if (run.first >= run.end) continue;
    if (!runs.empty() && runs.back().whole == run.whole)
      runs.back().end = run.end;
    else
      runs.push_back(run);
  }
  return runs;
}

EdgeCut cut_sound(const EdgeFrames& of, const EdgeSpan& span) {
  RELAY_CHECK(!of.frames.empty());
  EdgeCut cut;
  cut.first = std::min(nearest_edge(of, span.from_ns), of.frames.size() - 1);
  cut.end = std::max(nearest_edge(of, span.to_ns), cut.first + 1);
  cut.start = of.frames[cut.first].pts;
  cut.stop = of.frames[cut.end - 1].end();
  return cut;
}

}  // namespace relay::transcoder
