// What goes wrong in a history: drawn from its seed ahead, carried out by the world, and healed
// before the history ends.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "tests/simulation/checks.hpp"
#include "tests/simulation/fleet.hpp"

namespace relay::simulation {

class Faults {
 public:
  /// `on_restart` is told of a machine whose program begins again.
  Faults(Schedule& schedule, Network& network, Fleet& fleet, Checks& checks, Random random,
         std::function<void(int host)> on_restart)
      : schedule_(schedule),
        network_(network),
        fleet_(fleet),
        checks_(checks),
        random_(random),
        on_restart_(std::move(on_restart)) {}

  /// When they may begin, and when the last is healed.
  struct When {
    Time from, until, healed_by;
  };
  /// `count` faults, that last for `lasting_most` at most.
  void plan(int count, Time lasting_most, When when);

 private:
  enum class Kind {
    kill,   // kill -9, and a new run after a while
    stop,   // SIGTERM, and a new run after a while
    pause,  // SIGSTOP for a while
    cut,    // one link to a member or to the origin, both ways
    cut_one_way,
    isolate,  // from all members, not from the origin
    slow,     // all links of an edge
    lose,     // packets on all links of an edge
    reset,    // the streams of one link break
    full_disk,
    clock_jump,  // of the wall's clock, at once, for good
    weigh,       // an edge drains, or gets another weight, for a while
    leave,       // an edge is stopped and taken out of the members, and comes back
    count
  };
  void plan_one(Kind kind, int host, Time at, Time lasting);
  void restart(int host);
  void restart_when_ended(int host, Time until);
  void give_members(std::vector<edge::fleet::Member> members, int but_for = 0);
  std::vector<edge::fleet::Member> weighed(int host);
  std::vector<edge::fleet::Member> without(int host) const;
  template <class Change>
  void change_links(int host, Change change);

  Schedule& schedule_;
  Network& network_;
  Fleet& fleet_;
  Checks& checks_;
  Random random_;
  std::function<void(int)> on_restart_;
  bool changes_members_ = false;  // once in a history: one change at a time is what is promised
  std::vector<edge::fleet::Member> members_;                       // as the operator wants them now
  std::vector<Time> busy_until_ = std::vector<Time>(16, Time(0));  // of a machine's runs
};

}  // namespace relay::simulation
