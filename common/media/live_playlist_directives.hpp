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

/// `ended`: the playlist has ENDLIST, directives count no more.
LiveJudgement judge(const LiveDirectives& directives, const LivePosition& next, bool ended,
                    std::int64_t part_target_ms);

/// How many parts a client may ask ahead of the last one (6.2.5.2).
std::int64_t advance_part_limit(std::int64_t part_target_ms);

}  // namespace relay::media
