#include "tests/simulation/faults.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace relay::simulation {
namespace {

using namespace std::chrono_literals;

}  // namespace

void Faults::plan(int count, Time lasting_most, When when) {
  for (int i = 0; i < count; ++i) {
    auto kind = static_cast<Kind>(random_.below(static_cast<std::uint64_t>(Kind::count)));
    auto host = static_cast<int>(random_.between(1, fleet_.size()));
    Time at = Time(random_.between(when.from.count(), when.until.count()));
    Time lasting = Time(random_.between(Time(20ms).count(), lasting_most.count()));
    bool of_members = kind == Kind::weigh || kind == Kind::leave;
    if (of_members && (std::exchange(changes_members_, true) || fleet_.size() < 3)) continue;
    bool of_runs =
        kind == Kind::kill || kind == Kind::stop || kind == Kind::pause || kind == Kind::leave;
    Time& busy = busy_until_[static_cast<std::size_t>(host)];
    if (of_runs && at < busy) continue;  // one at a time
    if (of_runs) busy = when.healed_by;
    plan_one(kind, host, at, std::min(lasting, when.healed_by - at));
  }
}

template <class Change>
void Faults::change_links(int host, Change change) {
  for (int other = 1; other <= fleet_.size(); ++other) {
    if (other == host) continue;
    change(network_.link(host, other));
    change(network_.link(other, host));
  }
  change(network_.link(host, origin_host));
  change(network_.link(origin_host, host));
}

void Faults::restart(int host) {
  fleet_.start(host);
  on_restart_(host);
}

/// All are told, one after the other; nobody of what is no longer wanted by then.
void Faults::give_members(std::vector<edge::fleet::Member> members, int but_for) {
  members_ = std::move(members);
  for (int host = 1; host <= fleet_.size(); ++host) {
    if (host == but_for) continue;
    schedule_.after(Time(random_.between(0, 250'000'000)),
                    [this, host] { fleet_.give_members(host, members_); });
  }
}

std::vector<edge::fleet::Member> Faults::weighed(int host) {
  auto members = fleet_.members();
  auto& one = members[static_cast<std::size_t>(host) - 1];
  random_.one_in(2) ? void(one.drain = true) : void(one.weight = random_.one_in(2) ? 0.25 : 3.0);
  return members;
}

std::vector<edge::fleet::Member> Faults::without(int host) const {
  auto members = fleet_.members();
  members.erase(members.begin() + host - 1);
  return members;
}

void Faults::restart_when_ended(int host, Time until) {
  if (fleet_.process(host).alive && schedule_.now() < until) {
    schedule_.after(50ms, [this, host, until] { restart_when_ended(host, until); });
    return;
  }
  if (fleet_.process(host).alive) fleet_.kill(host);  // as a supervisor does
  restart(host);
  checks_.end("stop", host);
}

void Faults::plan_one(Kind kind, int host, Time at, Time lasting) {
  Time end = at + lasting;
  // To another member, or to the origin.
  int other = static_cast<int>(random_.between(1, fleet_.size()));
  if (other == host) other = origin_host;
  auto begin = [=, this](std::string what, int link_to, bool harmless = false) {
    checks_.note({what, host, link_to, schedule_.now(), never, harmless});
    if (link_to > 0 && link_to != origin_host) {
      checks_.note({what, link_to, host, schedule_.now(), never, harmless});
    }
  };
  auto finish = [=, this](const std::string& what) {
    checks_.end(what, host);
    checks_.end(what, other);
  };
  switch (kind) {
    case Kind::kill:
      schedule_.at(at, [=, this] {
        begin("kill", 0);
        fleet_.kill(host);
      });
      schedule_.at(end, [=, this] {
        restart(host);
        checks_.end("kill", host);
      });
      return;
    case Kind::stop:
      schedule_.at(at, [=, this] {
        begin("stop", 0);
        fleet_.stop(host);
      });
      schedule_.at(at + 50ms, [=, this] { restart_when_ended(host, end); });
      return;
    case Kind::pause:
      schedule_.at(at, [=, this] {
        begin("pause", 0);
        fleet_.process(host).paused = true;
      });
      schedule_.at(end, [=, this] {
        fleet_.process(host).paused = false;
        checks_.end("pause", host);
      });
      return;
    case Kind::cut:
    case Kind::cut_one_way:
      schedule_.at(at, [=, this] {
        begin("cut", other);
        network_.link(host, other).cut = true;
        if (kind == Kind::cut) network_.link(other, host).cut = true;
      });
      schedule_.at(end, [=, this] {
        network_.set_cut(host, other, false);
        finish("cut");
      });
      return;
    case Kind::isolate:
      schedule_.at(at, [=, this] {
        for (int member = 1; member <= fleet_.size(); ++member) {
          if (member == host) continue;
          begin("isolate", member);
          network_.set_cut(host, member, true);
        }
      });
      schedule_.at(end, [=, this] {
        for (int member = 1; member <= fleet_.size(); ++member) {
          if (member != host) network_.set_cut(host, member, false);
          checks_.end("isolate", member);
        }
      });
      return;
    case Kind::slow:
      schedule_.at(at, [=, this, by = Time(random_.between(5'000'000, 400'000'000))] {
        begin("slow", 0);
        change_links(host, [&](Link& link) { link.latency = by; });
      });
      schedule_.at(end, [=, this] {
        change_links(host, [](Link& link) { link.latency = Link{}.latency; });
        checks_.end("slow", host);
      });
      return;
    case Kind::lose:
      schedule_.at(at, [=, this, one_in = static_cast<std::uint64_t>(random_.between(3, 12))] {
        begin("lose", 0);
        change_links(host, [&](Link& link) { link.lost_one_in = one_in; });
      });
      schedule_.at(end, [=, this] {
        change_links(host, [](Link& link) { link.lost_one_in = 0; });
        checks_.end("lose", host);
      });
      return;
    case Kind::reset:
      schedule_.at(at, [=, this] {
        begin("reset", other);
        network_.reset_between(host, other);
        finish("reset");
      });
      return;
    case Kind::full_disk:
      schedule_.at(at, [=, this] {
        begin("full disk", 0, true);
        fleet_.process(host).disk_full = true;
      });
      schedule_.at(end, [=, this] {
        fleet_.process(host).disk_full = false;
        checks_.end("full disk", host);
      });
      return;
    case Kind::clock_jump:
      schedule_.at(at, [=, this, by = Time(random_.between(-90, 90) * 1'000'000'000)] {
        begin("clock jump", 0, true);
        fleet_.process(host).wall_offset += by;
      });
      return;
    case Kind::weigh:
      schedule_.at(at, [=, this] {
        begin("weigh", 0, true);
        give_members(weighed(host));
      });
      schedule_.at(end, [=, this] {
        give_members(fleet_.members());
        checks_.end("weigh", host);
      });
      return;
    case Kind::leave:
      schedule_.at(at, [=, this] {
        begin("leave", 0);
        fleet_.stop(host);
        give_members(without(host), host);
      });
      schedule_.at(end, [=, this] {
        give_members(fleet_.members());
        restart_when_ended(host, end);
        checks_.end("leave", host);
      });
      return;
    case Kind::count:
      return;
  }
}

}  // namespace relay::simulation
