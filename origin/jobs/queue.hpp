// Which waiting job comes next. Pure: time comes in as a value. The truth about jobs is in the
// catalog; this is the order of those that wait.
//
// A lane for each kind: photos, videos, edges of clips. In each the tenants take turns; of one
// tenant's jobs the first comes first, except that a heavy source gives way to light ones that come
// within the time that its own bytes take at `bytes_per_s`; so short clips do not wait behind a
// long film, and the film waits only so long.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/clock.hpp"
#include "common/media/job.hpp"
#include "origin/jobs/try.hpp"

namespace relay::origin::jobs {

struct Waiting {
  media::Job job;
  Tally tally;
  SteadyTime not_before{};             // the pause after a try
  SteadyTime rank{};                   // set by the queue when it comes in for a new turn
  std::chrono::milliseconds worked{};  // in earlier turns of the same try
};

/// The same tenant, asset and version.
bool same_job(const media::Job& a, const media::Job& b);
/// Of this tenant and asset; version empty: any.
bool is_job_of(const media::Job& job, const std::string& tenant, const std::string& asset,
               const std::string& version);

class Queue {
 public:
  static constexpr std::int64_t bytes_per_s = 20'000'000;

  /// False: it waits already.
  bool add(Waiting waiting, SteadyTime now);
  /// The next of that kind whose pause is over; nullopt when there is none now. It is its tenant's
  /// turn from now on.
  std::optional<Waiting> take(media::JobKind kind, SteadyTime now);
  /// Whether a running job that has had its turn should make room: another tenant waits in its
  /// lane, or a lighter source of its own tenant. (Two films of one tenant are not taken by turns:
  /// both would be late.)
  bool wants_room(const media::Job& running, SteadyTime now) const;
  /// When a pause ends next; nullopt when nothing pauses.
  std::optional<SteadyTime> next_end_of_pause(SteadyTime now) const;
  bool contains(const media::Job& job) const;
  void remove(const std::string& tenant, const std::string& asset, const std::string& version);
  void clear() { waiting_.clear(); }
  std::size_t size() const { return waiting_.size(); }

 private:
  std::uint64_t last_turn(const media::Job& job) const;

  std::vector<Waiting> waiting_;
  std::map<std::pair<media::JobKind, std::string>, std::uint64_t> turns_;  // of a tenant in a lane
  std::uint64_t turn_ = 0;                                                 // the last one given
};

}  // namespace relay::origin::jobs
