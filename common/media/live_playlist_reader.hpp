// Takes the text of a low-latency media playlist apart by its lines, so that a cache can answer
// every directive from one whole text: what it shows and where its segments stand. Takes playlists
// of any packager. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.hpp"
#include "common/media/live_playlist_directives.hpp"

namespace relay::media {

struct LivePlaylistOutline {
  struct Segment {
    std::size_t begin = 0, end = 0;  // its lines, tags first, in the text
    std::int64_t microseconds = 0;
    std::int64_t parts = 0;  // that the text shows
    bool mixed = false;      // among its lines stand others: tags of the whole playlist, remarks
  };
  std::int64_t media_sequence = 0;
  std::int64_t target_duration_s = 0;
  std::int64_t part_target_us = 0;  // 0: no parts
  bool can_block = false;           // CAN-BLOCK-RELOAD
  std::int64_t can_skip_us = 0;     // CAN-SKIP-UNTIL; 0: no delta updates
  bool ended = false;
  std::vector<Segment> segments;  // complete ones
  std::int64_t open_parts = 0;    // behind the last of them
  std::int64_t open_us = 0;       // their length
  std::string hint;               // URI of the part in EXT-X-PRELOAD-HINT; empty: none

  LivePosition next() const;
};

/// Errors: invalid, for what is no media playlist or is a delta update; too_large, above
/// limits::playlist_bytes_max.
Result<LivePlaylistOutline> read_live_playlist(std::string_view text);

}  // namespace relay::media
