// The job of kind `edges`: the two ends of a clip are made anew, exact to the frame, from the
// segments that they lie in. Pure.
//
// The source (descriptor 3) holds, for each piece, an init segment and a media segment behind it.
// The transcoder sends {rendition}/{number}.m4s for each piece, {rendition}/init.mp4 where the
// pictures need parameter sets that the source's has not (then it has those too, and does for
// both), and {rendition}/index.m3u8, which names the pieces with their durations, and that init as
// its map. A piece that comes out as the whole segment is not sent, a playlist that would name
// nothing neither.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/error.hpp"

namespace relay::media {

inline constexpr std::int64_t edge_at_beginning = 0, edge_at_end = 1;

/// [from, to) of a segment. Times are from the begin of the first rendition's segment; which
/// pictures they mean is decided there, and holds for all.
struct EdgePiece {
  std::int64_t number = edge_at_beginning;
  std::uint64_t offset = 0, bytes = 0;       // in the source
  std::int64_t from_us = 0;                  // 0: from the segment's begin
  std::optional<std::int64_t> to_us;         // absent: to its end
  std::optional<std::int64_t> date_us = {};  // Unix time of the segment's begin
  bool operator==(const EdgePiece&) const = default;
};

struct EdgeRendition {
  std::string name;
  bool picture = true;
  std::int64_t bit_s_max = 0;  // of the source's rendition
  std::vector<EdgePiece> pieces;
};

struct EdgeJob {
  bool live = false;                      // the source was made as a channel
  std::vector<EdgeRendition> renditions;  // first the one with the most pictures a second
};

}  // namespace relay::media
