// What the end of one try means: ready, failed for good, or again after a pause. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "common/media/job.hpp"

namespace relay::origin::jobs {

/// Why we ended a process ourselves.
enum class KillReason { none, deadline, stall, turn };

/// How a transcoder process went.
struct TryEnd {
  std::optional<media::JobResult> result;  // what it sent, if it came to that
  std::string not_started;                 // why there was no process; empty: there was one
  KillReason killed = KillReason::none;
  int exit_code = 0;  // when it ended by itself
  int signal = 0;     // when a signal ended it
};

/// What happened to a job before, by whose fault.
struct Tally {
  int crashes = 0;   // tries that ended without a result
  int setbacks = 0;  // tries that asked for another one: the disk, the connection
  int outages = 0;   // of the transcoder itself, one after the other: it cannot be started
};

struct TryLimits {
  int attempts_max = 3;  // crashes, the last one included
  std::chrono::milliseconds deadline{};
  std::uint64_t memory_max = 0;
};

struct Verdict {
  std::optional<media::JobResult> result;  // settle with it; absent: try again
  std::chrono::milliseconds pause{};       // before the next try
  std::string outage;                      // what the service lacks for one; empty: nothing
};

/// Counts the end in `tally`; the end of a turn is none, the try goes on at once. A crash is tried
/// again after 1, 2, 4 … s, a setback (full disk) after 2, 4 … at most 60 s and up to
/// `setbacks_max` times. A transcoder that cannot be started is our own fault, never the file's:
/// tried again after 1, 2, 4 … at most 30 s for as long as it takes.
Verdict judge(const TryEnd& end, Tally& tally, const TryLimits& limits);

inline constexpr int setbacks_max = 1000;

}  // namespace relay::origin::jobs
