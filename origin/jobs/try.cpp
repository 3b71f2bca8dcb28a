#include "origin/jobs/try.hpp"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <string>

namespace relay::origin::jobs {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

milliseconds doubled(seconds first, int times, seconds most) {
  return std::min<seconds>(most, first * (1ll << std::clamp(times, 0, 20)));
}

std::string times(int n) {
  return n == 1 ? "" : fmt::format(" in each of {} tries", n);
}

std::string words(milliseconds duration) {
  auto whole = std::chrono::duration_cast<seconds>(duration).count();
  if (whole >= 3600 && whole % 3600 == 0) return fmt::format("{} h", whole / 3600);
  if (whole >= 60 && whole % 60 == 0) return fmt::format("{} min", whole / 60);
  return fmt::format("{} s", whole);
}

bool killed_by_others(const TryEnd& end) {
  return end.signal == SIGKILL && end.killed == KillReason::none;
}

// The last of several crashes speaks for all.
std::string why_it_crashed(const TryEnd& end, int crashes, const TryLimits& limits) {
  if (end.killed == KillReason::deadline)
    return fmt::format("converting the file took longer than the limit of {}{}",
                       words(limits.deadline), times(crashes));
  if (end.killed == KillReason::stall)
    return fmt::format("converting the file came to a standstill{}; it may be damaged",
                       times(crashes));
  if (killed_by_others(end))
    return fmt::format("the system ended the conversion{}, perhaps for want of memory",
                       times(crashes));
  if (end.exit_code == media::exit_out_of_memory)
    return fmt::format("converting the file needs more memory than the limit of {} MiB{}",
                       limits.memory_max >> 20, times(crashes));
  return fmt::format("the file crashed our decoder{}; it may be damaged", times(crashes));
}

Verdict failed(std::string reason) {
  media::JobResult result;
  result.reason = std::move(reason);
  return {std::move(result), {}, {}};
}

Verdict after_crash(const TryEnd& end, Tally& tally, const TryLimits& limits) {
  ++tally.crashes;
  if (tally.crashes >= limits.attempts_max)
    return failed(why_it_crashed(end, tally.crashes, limits));
  return {std::nullopt, doubled(seconds(1), tally.crashes - 1, seconds(30)), {}};
}

Verdict after_setback(const std::string& reason, Tally& tally) {
  ++tally.setbacks;
  if (tally.setbacks >= setbacks_max) return failed(reason);
  return {std::nullopt, doubled(seconds(2), tally.setbacks - 1, seconds(60)), {}};
}

/// Why the transcoder never came to look at the file; empty: it did.
std::string outage_of(const TryEnd& end) {
  if (!end.not_started.empty()) return end.not_started;
  if (end.killed != KillReason::none || end.signal != 0) return "";
  if (end.exit_code == media::exit_wrong_settings) return "the transcoder's settings are wrong";
  // As a shell would say it; so does a program whose shared libraries are missing.
  if (end.exit_code == 126 || end.exit_code == 127) return "the transcoder cannot be started";
  return "";
}

Verdict after_outage(std::string outage, Tally& tally) {
  return {std::nullopt, doubled(seconds(1), tally.outages++, seconds(30)), std::move(outage)};
}

}  // namespace

Verdict judge(const TryEnd& end, Tally& tally, const TryLimits& limits) {
  if (end.result && !end.result->ready && end.result->retry)
    return after_setback(end.result->reason, tally);
  if (end.result) return {end.result, {}, {}};
  if (std::string outage = outage_of(end); !outage.empty())
    return after_outage(std::move(outage), tally);
  tally.outages = 0;
  if (end.killed == KillReason::turn) return {};
  bool by_itself = end.killed == KillReason::none && end.signal == 0;
  if (by_itself && end.exit_code == media::exit_cannot_publish)
    return after_setback("the renditions could not be stored", tally);
  return after_crash(end, tally, limits);
}

}  // namespace relay::origin::jobs
