#include "edge/hls/timeline.hpp"

#include <boost/unordered/unordered_flat_set.hpp>

namespace relay::edge::hls {

std::string_view Timeline::at(std::int64_t sequence) const {
  if (sequence < first) return {};
  auto index = static_cast<std::uint64_t>(sequence - first);
  return index < segments.size() ? std::string_view(segments[index]) : std::string_view{};
}

std::vector<std::int64_t> left_window(const Timeline& before, const Timeline& now) {
  std::vector<std::int64_t> left;
  if (now.ended || now.only_grows || now.first <= before.first) return left;
  boost::unordered_flat_set<std::string_view> named(now.segments.begin(), now.segments.end());
  std::int64_t sequence = before.first;
  for (const std::string& segment : before.segments) {
    if (sequence >= now.first) break;
    if (!segment.empty() && !named.contains(segment)) left.push_back(sequence);
    ++sequence;
  }
  return left;
}

}  // namespace relay::edge::hls
