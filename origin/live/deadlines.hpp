// How long a channel may take for what RFC 8216bis-22 sets a time for. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace relay::origin::live {

/// Channels look at the clock this often.
inline constexpr std::chrono::milliseconds tick_interval{200};

/// How long nothing may come of a segment before it may become a gap.
std::chrono::milliseconds quiet_before_gap(std::int64_t target_duration_s);

/// How long after its end a segment that is not there is a gap: a new segment must be announced
/// within 1.5 target durations of the last one (6.2.1), which came `lateness` after its own end.
/// nullopt: none has come yet.
std::chrono::milliseconds gap_after(std::int64_t target_duration_s,
                                    std::optional<std::chrono::milliseconds> lateness);

/// How long a part can be had once its tag is gone (6.2.2).
std::chrono::milliseconds part_stays(std::int64_t target_duration_s);

}  // namespace relay::origin::live
