#include "common/media/live_playlist.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "common/media/date.hpp"

namespace relay::media {
namespace {

constexpr std::int64_t parts_shown_targets = 3;    // target durations from the end (6.2.2)
constexpr std::int64_t hold_back_targets = 3;      // target durations, part targets (4.4.3.8)
constexpr std::int64_t skip_boundary_targets = 6;  // target durations (4.4.3.8)
constexpr int version_whole = 6;  // EXT-X-MAP without EXT-X-I-FRAMES-ONLY (section 7)
constexpr int version_delta = 9;  // EXT-X-SKIP

std::string seconds(std::int64_t us) {
  return fmt::format("{}.{:06}", us / us_per_s, us % us_per_s);
}

std::int64_t length_us(const LiveSegment& segment) {
  if (segment.complete) return segment.microseconds;
  std::int64_t sum = 0;
  for (const LivePart& part : segment.parts) sum += part.microseconds;
  return sum;
}

/// All playlists of a channel say the same (4.4.3.8).
std::string server_control(const LiveWindow& window) {
  std::int64_t target = window.target_duration_s;
  std::int64_t hold_back = hold_back_targets * window.part_target_ms;
  return fmt::format(
      "CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK={}.{:03},HOLD-BACK={}.0,CAN-SKIP-UNTIL={}.0",
      hold_back / 1000, hold_back % 1000, hold_back_targets * target,
      skip_boundary_targets * target);
}

void append_head(std::string& text, const LiveWindow& window, int version) {
  auto out = std::back_inserter(text);
  fmt::format_to(out, "#EXTM3U\n#EXT-X-VERSION:{}\n#EXT-X-TARGETDURATION:{}\n", version,
                 window.target_duration_s);
  if (!window.ended) {
    std::int64_t part = window.part_target_ms;
    fmt::format_to(out, "#EXT-X-SERVER-CONTROL:{}\n#EXT-X-PART-INF:PART-TARGET={}.{:03}\n",
                   server_control(window), part / 1000, part % 1000);
  }
  std::int64_t first = window.segments.empty() ? 0 : window.segments.front().number;
  fmt::format_to(out, "#EXT-X-MEDIA-SEQUENCE:{}\n", first);
  if (window.ended) text += "#EXT-X-PLAYLIST-TYPE:VOD\n";
  text += "#EXT-X-INDEPENDENT-SEGMENTS\n";
}

const char* condition_of(const LivePart& part) {
  if (part.gap) return ",GAP=YES";
  return part.independent ? ",INDEPENDENT=YES" : "";
}

void append_parts(std::string& text, const LiveSegment& segment) {
  for (std::size_t i = 0; i < segment.parts.size(); ++i) {
    fmt::format_to(std::back_inserter(text), "#EXT-X-PART:DURATION={},URI=\"{}.{}.m4s\"{}\n",
                   seconds(segment.parts[i].microseconds), segment.number, i,
                   condition_of(segment.parts[i]));
  }
}

void append_segment(std::string& text, const LiveSegment& segment, bool with_parts) {
  if (!segment.complete && segment.parts.empty()) return;
  auto out = std::back_inserter(text);
  fmt::format_to(out, "#EXT-X-PROGRAM-DATE-TIME:{}\n", date_text(segment.date_us));
  if (with_parts) append_parts(text, segment);
  if (!segment.complete) return;
  if (segment.gap) text += "#EXT-X-GAP\n";
  fmt::format_to(out, "#EXTINF:{},\n{}.m4s\n", seconds(segment.microseconds), segment.number);
}

void append_end(std::string& text, const LiveWindow& window) {
  auto out = std::back_inserter(text);
  if (window.ended) {
    text += "#EXT-X-ENDLIST\n";
    return;
  }
  LivePosition hinted = hinted_of(window);
  if (window.hints && !window.segments.empty()) {
    fmt::format_to(out, "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"{}.{}.m4s\"\n", hinted.segment,
                   hinted.part);
  }
  for (const LiveReport& report : window.reports) {
    bool is_open = report.next.part > 0;
    std::int64_t parts = is_open ? report.next.part : report.next.parts_of_before;
    fmt::format_to(out, "#EXT-X-RENDITION-REPORT:URI=\"{}\",LAST-MSN={}", report.uri,
                   is_open ? report.next.segment : report.next.segment - 1);
    if (parts > 0) fmt::format_to(out, ",LAST-PART={}", parts - 1);
    text += '\n';
  }
}

/// The first segment that lies less than `us` before the end.
std::size_t first_within(const LiveWindow& window, std::int64_t us) {
  std::size_t first = window.segments.size();
  std::int64_t behind = 0;
  while (first > 0 && behind < us) behind += length_us(window.segments[--first]);
  return first;
}

std::string write_from(const LiveWindow& window, std::size_t skipped) {
  std::string text;
  append_head(text, window, skipped > 0 ? version_delta : version_whole);
  if (skipped > 0)
    text += fmt::format("#EXT-X-SKIP:SKIPPED-SEGMENTS={}\n", skipped);
  else
    text += fmt::format("#EXT-X-MAP:URI=\"{}\"\n", window.map_uri);
  std::size_t with_parts =
      first_within(window, parts_shown_targets * window.target_duration_s * us_per_s);
  for (std::size_t i = skipped; i < window.segments.size(); ++i)
    append_segment(text, window.segments[i], i >= with_parts && !window.ended);
  append_end(text, window);
  return text;
}

}  // namespace

LivePosition next_of(const LiveWindow& window) {
  if (window.segments.empty()) return {};
  const LiveSegment& last = window.segments.back();
  auto parts_of = [](const LiveSegment& segment) {
    return static_cast<std::int64_t>(segment.parts.size());
  };
  if (last.complete) return {last.number + 1, 0, parts_of(last)};
  bool is_first = window.segments.size() == 1;
  return {last.number, parts_of(last),
          is_first ? 0 : parts_of(window.segments[window.segments.size() - 2])};
}

LivePosition hinted_of(const LiveWindow& window) {
  LivePosition next = next_of(window);
  bool closing = !window.segments.empty() && window.segments.back().closing;
  return closing ? LivePosition{next.segment + 1, 0, next.part} : next;
}

std::string write(const LiveWindow& window) {
  return write_from(window, 0);
}

MediaPlaylist whole_of(const LiveWindow& window) {
  MediaPlaylist playlist{.version = version_whole,
                         .target_duration_s = static_cast<int>(window.target_duration_s),
                         .type = window.ended ? PlaylistType::vod : PlaylistType::none,
                         .map_uri = window.map_uri,
                         .ended = window.ended};
  if (!window.ended) playlist.server_control = server_control(window);
  if (!window.segments.empty()) playlist.media_sequence = window.segments.front().number;
  for (const LiveSegment& each : window.segments) {
    if (!each.complete) continue;
    MediaSegment segment{std::to_string(each.number) + ".m4s", each.microseconds, us_per_s};
    segment.date_us = each.date_us;
    segment.gap = each.gap;
    playlist.segments.push_back(std::move(segment));
  }
  return playlist;
}

MediaPlaylist sheets_of(const LiveWindow& window, const LiveSetup& setup) {
  MediaPlaylist playlist = whole_of(window);
  playlist.contents = Contents::images;
  playlist.independent_segments = false;
  playlist.map_uri.clear();
  std::int64_t tile_us = setup.microseconds_of(setup.group_frames);
  auto columns = static_cast<int>(setup.segment_frames / setup.group_frames);
  for (MediaSegment& each : playlist.segments) {
    each.uri.replace(each.uri.rfind('.'), each.uri.npos, ".jpg");
    if (!each.gap) each.tiles = Tiles{setup.tile_width, setup.tile_height, columns, 1, tile_us};
  }
  return playlist;
}

std::string write_delta(const LiveWindow& window) {
  if (window.ended) return write(window);
  std::int64_t boundary = skip_boundary_targets * window.target_duration_s * us_per_s;
  return write_from(window, first_within(window, boundary));
}

}  // namespace relay::media
