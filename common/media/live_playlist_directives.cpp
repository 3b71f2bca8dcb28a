#include "common/media/live_playlist_directives.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/media/attribute_list.hpp"

namespace relay::media {
namespace {

constexpr std::int64_t ms_per_s = 1000;
constexpr std::int64_t segments_ahead_max = 2;  // of the last one in the playlist

Result<void> take_number(std::string_view name, std::string_view value,
                         std::optional<std::int64_t>& into) {
  if (into) return bad_input(fmt::format("{} stands twice", name));
  into = decimal_integer(value);
  if (!into) return bad_input(fmt::format("{} needs a whole number", name));
  return {};
}

Result<void> take(std::string_view name, std::string_view value, LiveDirectives& into) {
  if (name == "_HLS_msn") return take_number(name, value, into.segment);
  if (name == "_HLS_part") return take_number(name, value, into.part);
  if (name == "_HLS_skip") into.skip = value == "YES" || value == "v2";
  return {};
}

LiveJudgement never(std::string reason) {
  return {LiveReadiness::never, std::move(reason)};
}

/// Whether the playlist shows it. A part behind the last of its segment means the first of the
/// next one.
bool is_there(const LiveDirectives& asked, const LivePosition& next) {
  if (!asked.part) return *asked.segment < next.segment;
  if (*asked.segment == next.segment) return *asked.part < next.part;
  if (*asked.segment > next.segment) return false;
  bool is_before = *asked.segment + 1 == next.segment;
  bool is_behind_its_end = *asked.part >= next.parts_of_before && next.parts_of_before > 0;
  return !(is_before && is_behind_its_end) || next.part > 0;
}

}  // namespace

Result<LiveDirectives> read_live_directives(std::string_view query) {
  LiveDirectives directives;
  while (!query.empty()) {
    std::size_t end = std::min(query.find('&'), query.size());
    std::string_view parameter = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    std::size_t sign = std::min(parameter.find('='), parameter.size());
    std::string_view value = parameter.substr(std::min(sign + 1, parameter.size()));
    auto taken = take(parameter.substr(0, sign), value, directives);
    if (!taken) return std::unexpected(taken.error());
  }
  if (directives.part && !directives.segment) return bad_input("_HLS_part needs _HLS_msn");
  return directives;
}

std::string to_query(const LiveDirectives& directives) {
  std::string query;
  auto add = [&](std::string_view name, std::string_view value) {
    query.append(query.empty() ? "" : "&").append(name).append("=").append(value);
  };
  if (directives.segment) add("_HLS_msn", std::to_string(*directives.segment));
  if (directives.part) add("_HLS_part", std::to_string(*directives.part));
  if (directives.skip) add("_HLS_skip", "YES");
  return query;
}

std::int64_t advance_part_limit(std::int64_t part_target_ms) {
  if (part_target_ms >= ms_per_s || part_target_ms < 1) return 3;
  return (3 * ms_per_s + part_target_ms - 1) / part_target_ms;
}

std::int64_t part_advance_max(const LiveTargets& targets) {
  std::int64_t least = advance_part_limit(targets.part_ms);
  if (targets.part_ms < 1) return least;
  std::int64_t segment_ms = targets.duration_s * ms_per_s;
  std::int64_t parts_a_segment = (segment_ms + targets.part_ms - 1) / targets.part_ms;
  return std::max(least, 2 * parts_a_segment);
}

LiveJudgement judge(const LiveDirectives& directives, const LivePosition& next, bool ended,
                    const LiveTargets& targets) {
  if (ended || !directives.segment || is_there(directives, next)) return {};
  std::int64_t last = next.segment - 1;
  if (*directives.segment - last > segments_ahead_max) {
    return never(fmt::format("_HLS_msn={} is more than {} ahead of the last segment, {}",
                             *directives.segment, segments_ahead_max, last));
  }
  std::int64_t last_part = *directives.segment == next.segment ? next.part - 1 : -1;
  std::int64_t limit = part_advance_max(targets);
  if (directives.part && *directives.segment >= next.segment &&
      *directives.part - last_part > limit) {
    return never(fmt::format("_HLS_part={} is more than {} ahead of the last part",
                             *directives.part, limit));
  }
  return {LiveReadiness::wait, ""};
}

}  // namespace relay::media
