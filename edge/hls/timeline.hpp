// One version of a media playlist, as the targets of its segments; and what may be concluded from
// it. Immutable once made. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace relay::edge::hls {

struct Timeline {
  std::string key_front;    // what a cache key has before the target: nothing, or the host
  std::int64_t first = 0;   // EXT-X-MEDIA-SEQUENCE
  bool ended = false;       // EXT-X-ENDLIST
  bool only_grows = false;  // EVENT or VOD
  std::vector<std::string> segments;  // targets; empty: not to be asked for
  std::vector<std::string> lasting;   // targets of init segments and keys

  /// The segment with that sequence number; empty before the first, past the end and in a gap.
  std::string_view at(std::int64_t sequence) const;
  std::string key_of(std::string_view target) const { return key_front + std::string(target); }
};

/// Sequence numbers of the segments of `before` that the window of a live playlist has moved past:
/// they are older than all of `now`, which does not name them any more. None when the playlist has
/// ended, only grows, went back in time or did not move: then nothing is known to be over.
std::vector<std::int64_t> left_window(const Timeline& before, const Timeline& now);

}  // namespace relay::edge::hls
