// What a client asks of a low-latency playlist by its query (RFC 8216bis-22 6.2.5), and whether it
// can have it now. Pure; the same rules at origin and edge.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/error.hpp"

namespace relay::media {

/// The first part that is not there yet: everything before it is.
struct LivePosition {
  std::int64_t segment = 0;
  std::int64_t part = 0;             // of that segment
  std::int64_t parts_of_before = 0;  // of the segment before it; 0: it shows none
  friend bool operator==(const LivePosition&, const LivePosition&) = default;
};

struct LiveDirectives {
  std::optional<std::int64_t> segment;  // _HLS_msn
  std::optional<std::int64_t> part;     // _HLS_part
  bool skip = false;                    // _HLS_skip=YES or v2: a delta will do
  friend bool operator==(const LiveDirectives&, const LiveDirectives&) = default;
};

/// `query` is without "?". Parameters that are none of ours are ignored. Errors (kind invalid): a
/// directive that is no number or stands twice, a part without its segment.
Result<LiveDirectives> read_live_directives(std::string_view query);
/// The one spelling of these directives, for cache keys and for asking on:
/// "_HLS_msn=3&_HLS_part=1".
std::string to_query(const LiveDirectives& directives);

enum class LiveReadiness { ready, wait, never };
struct LiveJudgement {
  LiveReadiness readiness = LiveReadiness::ready;
  std::string reason;  // of never: what the client did wrong (400)
};

struct LiveTargets {
  std::int64_t duration_s = 0;  // of segments
  std::int64_t part_ms = 0;     // of parts; 0: there are none
};

/// `ended`: the playlist has ENDLIST, directives count no more.
LiveJudgement judge(const LiveDirectives& directives, const LivePosition& next, bool ended,
                    const LiveTargets& targets);

/// How many parts ahead of the last one a server may refuse: the Advance Part Limit (6.2.5.2).
std::int64_t advance_part_limit(std::int64_t part_target_ms);
/// How many we refuse. More than that limit where a segment has many parts: an ordinary player
/// (hls.js without low latency) asks for the last part of a segment of which none is there yet, and
/// when it is late for as many more as it missed, though a number past the segment's end only means
/// the first part of the one that follows.
std::int64_t part_advance_max(const LiveTargets& targets);

}  // namespace relay::media
