// The media playlist of a channel as a value, and its text: low-latency HLS (RFC
// 8216bis-22: 4.4.3.7 part information, 4.4.3.8 server control, 4.4.4.9 parts, 4.4.5.2
// skip, 4.4.5.3 preload hint, 4.4.5.4 rendition report, 6.2.2 what a live playlist may forget).
// Pure.
//
// Media sequence numbers are the numbers of the channel's grid (live.hpp), and objects are called
// after them: segment n is "n.m4s", its part p "n.p.m4s".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/media/live.hpp"
#include "common/media/live_playlist_directives.hpp"
#include "common/media/playlist.hpp"

namespace relay::media {

struct LivePart {
  std::int64_t microseconds = 0;
  bool independent = false;  // begins with a key picture, or is sound
  bool gap = false;          // it was never made, or is lost
};

struct LiveSegment {
  std::int64_t number = 0;
  std::int64_t microseconds = 0;  // of a complete one: EXTINF
  std::int64_t date_us = 0;       // Unix time at which it begins
  bool gap = false;               // it was never made, or not to its end
  bool complete = true;           // false: the last one, of which only parts are there
  bool closing = false;           // not complete yet, but no more parts of it come
  std::vector<LivePart> parts;    // shown for the last three target durations only
};

/// How far a sibling rendition is.
struct LiveReport {
  std::string uri;  // "../v480/index.m3u8"
  LivePosition next;
};

/// One rendition as viewers see it now.
struct LiveWindow {
  std::int64_t target_duration_s = 4;
  std::int64_t part_target_ms = 500;
  std::string map_uri = "init.mp4";
  std::vector<LiveSegment> segments;  // numbers without holes, the oldest first
  std::vector<LiveReport> reports;
  bool hints = true;  // the next part may be asked for before it is there
  bool ended = false;
};

/// What is not there yet.
LivePosition next_of(const LiveWindow& window);
/// The part that is made next, to be hinted at: behind a closing segment the first of the one
/// after.
LivePosition hinted_of(const LiveWindow& window);

/// PART-HOLD-BACK, HOLD-BACK and CAN-SKIP-UNTIL follow from the targets: 3 part targets, 3 and 6
/// target durations.
std::string write(const LiveWindow& window);
/// The complete segments as an ordinary playlist.
MediaPlaylist whole_of(const LiveWindow& window);
/// The playlist of a thumbnail track with this window: a sheet a segment, a tile a group.
MediaPlaylist sheets_of(const LiveWindow& window, const LiveSetup& setup);
/// A delta update; the whole text when there is nothing to skip, or the window has ended.
std::string write_delta(const LiveWindow& window);

}  // namespace relay::media
