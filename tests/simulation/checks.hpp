// What must hold of a history, looked at while it happens (invariants of DESIGN section 6).
//
// 1. An answer that came whole is, byte for byte, one version of what was asked; one that broke off
//    is a beginning of it.
// 3. A version of a thing, or a slice of it, is fetched from the origin once by the fleet. A second
//    time is excused by: a purge of the thing within the last minute (each edge may then ask once,
//    see purge_log's route_for); a disturbance since shortly before the first; a store that is
//    small; a lifetime of a second that is over.
// 4. What was asked after a purge was acknowledged (200) is not older than the purge. After a soft
//    one it may be while something is wrong, for then what is stale is better than nothing.
// 5. What the stores say they hold is within their size.
// And every request ends, in an answer unless its edge was disturbed or cut off from the origin.
// One that has begun may break off for want of its version: the origin has another one by now, and
// what was still to come is nowhere. A sliced body's always may, any other one's only if something
// broke.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/simulation/content.hpp"
#include "tests/simulation/exchange.hpp"
#include "tests/simulation/origin.hpp"

namespace relay::simulation {

/// Something that was done to the fleet, as long as it lasted.
struct Disturbance {
  std::string what;
  int host = 0;   // an edge
  int other = 0;  // of a link: its other end; 0: of the edge itself or all its links
  Time from{0}, until = never;
  bool harmless = false;  // it must not show in any answer, only in what is stored (a full disk)
};

struct PurgeDone {
  std::vector<std::pair<int, int>> things;  // and the versions that are to be served from then on
  Time begun{0}, acknowledged = never;      // never: not, or not with certainty
  int host = 0;
  bool soft = false;
  bool by_tag = false;  // what it names is known when the answers have come, so it counts for all
};

/// Of all histories of a run, for its report.
struct Tally {
  std::uint64_t answers = 0, whole = 0, errors_excused = 0, broken_excused = 0, refused = 0;
  std::uint64_t fetches = 0, again_after_purge = 0, again_disturbed = 0, again_small = 0,
                again_stale = 0;
  std::uint64_t rests = 0, slices = 0, unchanged = 0, renewals = 0, purges = 0, purges_certain = 0,
                disturbances = 0;
  std::uint64_t turns = 0;
  bool operator==(const Tally&) const = default;
};

class Checks {
 public:
  Checks(Schedule& schedule, Content& content) : schedule_(schedule), content_(content) {}

  void note(Disturbance disturbance);
  void end(const std::string& what, int host);
  std::size_t note(PurgeDone purge);
  void acknowledge(std::size_t purge);
  void set_small_store() { small_store_ = true; }
  /// How the edges cut large bodies; 0: they do not.
  void set_slices(std::uint64_t slice_bytes) { slice_bytes_ = slice_bytes; }

  void on_fetch(const Fetch& fetch);
  void on_answer(int host, int thing, const Answer& answer);
  void on_store(int host, const Answer& answer);
  void fail(std::string what);

  bool calm_since(Time since) const;
  const std::vector<std::string>& failures() const { return failures_; }
  Tally tally;

 private:
  void check_body(int host, int thing, const Answer& answer);
  void check_failure(int host, int thing, const Answer& answer);
  void check_again(const Fetch& first, const Fetch& again);
  bool disturbed(int host, Time from, Time until) const;
  bool may_break_off(int thing, const Answer& answer) const;
  bool is_sliced(int thing, std::optional<int> version) const;
  bool purged_between(int thing, Time from, Time until) const;

  Schedule& schedule_;
  Content& content_;
  bool small_store_ = false;
  std::uint64_t slice_bytes_ = 0;
  std::vector<Disturbance> disturbances_;
  std::vector<PurgeDone> purges_;
  std::vector<Fetch> fetches_;
  std::vector<std::string> failures_;
};

}  // namespace relay::simulation
