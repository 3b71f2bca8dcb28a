// Who is in the fleet, by what its members register on the bus. A registration is renewed well
// within `ttl`; whoever has not for so long is lost: no keys are placed on it, but it may only be
// cut off from the bus, so it counts where purges are concerned until it has been silent for
// `forget_after`, or has left in words. While the bus does not answer nobody is heard, so nobody is
// lost: do not ask for a view then. Pure: time is given; not thread-safe.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.hpp"
#include "edge/bus/registration.hpp"

namespace relay::edge::bus {

inline constexpr std::size_t registrations_max = 1'000;

/// One state of the fleet, each list in the order of names.
struct View {
  std::vector<fleet::Member> members;  // this edge too
  std::vector<fleet::Member> lost;
  bool operator==(const View&) const = default;
};

/// What is known of another member as far as purges are concerned.
struct Standing {
  std::string name;
  /// It may not know of all the others: somebody came since it last said that it knew them. What it
  /// takes for a majority of the fleet may be none.
  bool old_view = false;
  /// It has not asked the bus for anything after this, unless it will be heard again before: each
  /// renews its registration first, and asks within a ttl of that.
  SteadyTime heard_until{};
};

/// How long ago something was written, as far as is known.
struct Age {
  std::chrono::milliseconds least, most;
};

class Roster {
 public:
  struct Times {
    std::chrono::milliseconds ttl;
    std::chrono::milliseconds forget_after;
  };
  /// `known`: members as last known, or as the config has them to begin with; they are taken as
  /// just heard.
  Roster(fleet::Member self, Times times, std::span<const fleet::Member> known, SteadyTime now);

  void set_self(fleet::Member self) { self_ = std::move(self); }
  /// What this edge registers. It has, when it was not before: the bus had it by `now`.
  Registration registration(SteadyTime now) const;
  void note_registered(SteadyTime now);
  /// All the others are known as they were at `when`.
  void note_looked(SteadyTime when) { looked_at_ = when; }

  /// Nothing was heard for a while, and not for want of members: the bus did not answer, or this
  /// edge was stopped. Whoever was there has a whole ttl to be heard again.
  void note_pause(SteadyTime now);
  /// A registration under its key. An earlier one of this edge itself: it never left. False: there
  /// are too many, it is left out.
  bool note(std::string_view key, const Registration& registration, Age age, SteadyTime now);
  void note_left(std::string_view key);
  /// These are all the keys there are. Who is not among them, and does not come back, is gone.
  void note_keys(std::span<const std::string> keys);

  View view(SteadyTime now);

  std::vector<Standing> standings() const;

 private:
  struct Entry {
    fleet::Member member;
    SteadyTime heard_at;
    SteadyTime since;        // when it came
    SteadyTime knows_until;  // whoever came before that it knows
    bool listed;             // registered, as far as known
    bool lost = false;
  };
  fleet::Member self_;
  std::optional<SteadyTime> self_since_, looked_at_;
  const Times times_;
  std::map<std::string, Entry, std::less<>> entries_;  // of the others, by key
};

}  // namespace relay::edge::bus
