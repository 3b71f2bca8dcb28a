#include "edge/fleet/members.hpp"

#include <algorithm>
#include <utility>

namespace relay::edge::fleet {
namespace {

constexpr std::size_t earlier_rings_max = 3;

std::size_t index_of(const Snapshot& snapshot, std::string_view name) {
  auto at = std::ranges::find(snapshot.members, name, &Member::name);
  return static_cast<std::size_t>(at - snapshot.members.begin());
}

Peer peer_at(const Snapshot& snapshot, std::size_t index) {
  return {snapshot.members[index], snapshot.lines[index]};
}

std::shared_ptr<const Ring> ring_of(std::vector<Member> members, auto&& owns) {
  std::erase_if(members, [&](const Member& member) { return !owns(member); });
  return std::make_shared<const Ring>(std::move(members));
}

std::shared_ptr<const Ring> ring_without(const Ring& ring, std::string_view name) {
  auto members = ring.members();
  return ring_of({members.begin(), members.end()},
                 [&](const Member& member) { return member.name != name; });
}

bool is_only(const Ring& ring, std::string_view name) {
  return ring.members().size() == 1 && ring.members().front().name == name;
}

bool same_members(const Ring& a, const Ring& b) {
  return std::ranges::equal(a.members(), b.members());
}

/// Those of the ring come first, in its order.
void add_members(Snapshot& snapshot, std::span<const Member> members) {
  for (const Member& member : members) {
    if (index_of(snapshot, member.name) == snapshot.members.size()) {
      snapshot.members.push_back(member);
    }
  }
}

}  // namespace

Members::Members(std::string self, std::vector<Member> members, Rules rules, SteadyTime now)
    : self_(std::move(self)),
      snapshot_(std::make_shared<const Snapshot>(rules)),
      placement_(self_, rules.spread) {
  replace(std::move(members), now);
  note_own_return(now);
}

bool Members::alone() const {
  return snapshot()->members.size() < 2;
}

/// Each thread keeps the snapshot that it saw last; numbers are unique, so a new one is noticed.
std::shared_ptr<const Snapshot> Members::snapshot() const {
  thread_local std::shared_ptr<const Snapshot> seen;
  if (!seen || seen->number != number_.load(std::memory_order_acquire)) {
    std::lock_guard lock(mutex_);
    seen = snapshot_;
  }
  return seen;
}

/// Under the mutex, but for the constructor.
void Members::publish(std::shared_ptr<Snapshot> next) {
  static std::atomic<std::uint64_t> numbers{0};
  next->number = ++numbers;
  snapshot_ = std::move(next);
  number_.store(snapshot_->number, std::memory_order_release);
}

std::vector<Peer> Members::peers_for(std::string_view key, SteadyTime now, Placement::Want want) {
  auto fleet = snapshot();
  std::uint64_t hash = ring_hash(placing_key(key, fleet->rules.spread));
  std::vector<bool> up(fleet->ring->members().size());
  for (std::size_t i = 0; i < up.size(); ++i)
    up[i] = takes(fleet->health[i], fleet->rules, hash, now);
  std::vector<Peer> peers;
  std::lock_guard lock(placement_mutex_);
  for (std::size_t i : placement_.candidates(fleet->ring, up, key, want, peers_asked_max, now)) {
    peers.push_back(peer_at(*fleet, i));
  }
  return peers;
}

std::vector<double> Members::loads() const {
  std::lock_guard lock(placement_mutex_);
  return placement_.loads();
}

/// Those that come before this edge in the key's order, are up, and do not get it yet.
std::vector<std::size_t> Members::just_back_before(const Snapshot& fleet, std::uint64_t key_hash,
                                                   SteadyTime now) const {
  auto waits = [&](std::size_t i) {
    return fleet.health[i].up && !takes(fleet.health[i], fleet.rules, key_hash, now);
  };
  std::size_t owners = fleet.ring->members().size();
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < owners; ++i) {
    if (waits(i)) found.push_back(i);
  }
  if (found.empty()) return found;
  std::vector<std::size_t> order = fleet.ring->owners(key_hash, owners);
  auto self = std::ranges::find(order, index_of(fleet, self_));
  order.erase(self, order.end());
  std::erase_if(order, [&](std::size_t i) { return !waits(i); });
  return order;
}

/// When all that come before this edge in the key's order are away, one of them not for long.
std::vector<std::size_t> Members::those_behind(const Snapshot& fleet, std::uint64_t key_hash,
                                               SteadyTime now) const {
  auto went_lately = [&](const Health& health) {
    return !health.up && now < health.gone_since + fleet.rules.handover;
  };
  if (std::ranges::none_of(fleet.health, went_lately)) return {};
  std::vector<std::size_t> order = fleet.ring->owners(key_hash, fleet.ring->members().size());
  auto self = std::ranges::find(order, index_of(fleet, self_));
  bool lost_its_owner = false;
  for (auto at = order.begin(); at != self; ++at) {
    if (fleet.health[*at].up) return {};
    lost_its_owner = lost_its_owner || went_lately(fleet.health[*at]);
  }
  if (!lost_its_owner || self == order.end()) return {};
  return {self + 1, order.end()};
}

std::vector<Peer> Members::holders_for(std::string_view key, SteadyTime now) const {
  auto fleet = snapshot();
  std::uint64_t hash = ring_hash(placing_key(key, fleet->rules.spread));
  std::vector<Peer> holders;
  auto add = [&](std::size_t index) {
    if (index == fleet->members.size() || holders.size() == holders_asked_max) return;
    const std::string& name = fleet->members[index].name;
    bool listed = std::ranges::find(holders, name, &Peer::name) != holders.end();
    if (fleet->health[index].up && !listed && name != self_) {
      holders.push_back(peer_at(*fleet, index));
    }
  };
  for (std::size_t i : just_back_before(*fleet, hash, now)) add(i);
  for (const Snapshot::Before& before : fleet->before) {
    if (before.until <= now) continue;
    const std::string& owner = before.ring->members()[before.ring->owner(hash)].name;
    add(index_of(*fleet, owner));
  }
  for (std::size_t i : those_behind(*fleet, hash, now)) add(i);
  return holders;
}

std::optional<Peer> Members::stand_in_for(std::string_view key, std::string_view slow) const {
  auto fleet = snapshot();
  auto members = fleet->ring->members();
  std::uint64_t hash = ring_hash(placing_key(key, fleet->rules.spread));
  bool behind = false;
  for (std::size_t i : fleet->ring->owners(hash, members.size())) {
    bool usable = members[i].name != self_ && fleet->health[i].up;
    if (behind && usable) return peer_at(*fleet, i);
    behind = behind || members[i].name == slow;
  }
  return std::nullopt;
}

/// Applies the change to a copy of the member's health and publishes it, if it changed anything.
/// What was under way to a member that is down from now on is given up. `apply` gives what the
/// caller wants to know.
template <class Change>
bool Members::change(std::string_view name, Change apply) {
  std::lock_guard lock(mutex_);
  std::size_t index = index_of(*snapshot_, name);
  if (index == snapshot_->health.size()) return false;
  Health health = snapshot_->health[index];
  bool answer = apply(health);
  if (health == snapshot_->health[index]) return answer;
  auto next = std::make_shared<Snapshot>(*snapshot_);
  if (next->health[index].up && !health.up) {
    next->lines[index]->given_up.store(true, std::memory_order_release);
    next->lines[index] = std::make_shared<Line>(next->lines[index]->asked);
  }
  next->health[index] = health;
  publish(std::move(next));
  return answer;
}

bool Members::report_failure(std::string_view name, SteadyTime now) {
  return change(name, [&](Health& health) { return note_failure(health, snapshot_->rules, now); });
}

void Members::report_success(std::string_view name) {
  auto fleet = snapshot();
  std::size_t index = index_of(*fleet, name);
  bool nothing_new =
      index == fleet->health.size() ||
      (fleet->health[index].breaker == Breaker::closed && fleet->health[index].failures == 0);
  if (nothing_new) return;
  change(name, [](Health& health) {
    note_answer(health);
    return true;
  });
}

bool Members::mark_up(std::string_view name, SteadyTime now) {
  return change(name,
                [&](Health& health) { return note_probe_answer(health, snapshot_->rules, now); });
}

std::vector<Peer> Members::take_due_probes(SteadyTime now) {
  std::lock_guard lock(mutex_);
  std::vector<Peer> due;
  auto next = std::make_shared<Snapshot>(*snapshot_);
  bool changed = false;
  for (std::size_t i = 0; i < next->health.size(); ++i) {
    if (next->members[i].name == self_) continue;
    bool due_again = take_probe(next->health[i], next->rules, now);
    bool owes = next->health[i].up && next->lines[i]->under_way.load() > 0;
    changed = changed || due_again;
    if (due_again || owes) due.push_back(peer_at(*next, i));
  }
  if (changed) publish(std::move(next));
  return due;
}

bool Members::report_leaving(std::string_view name, SteadyTime now) {
  std::lock_guard lock(mutex_);
  std::size_t index = index_of(*snapshot_, name);
  if (index == snapshot_->health.size() || !snapshot_->health[index].up) return false;
  auto next = std::make_shared<Snapshot>(*snapshot_);
  note_leaving(next->health[index], next->rules, now);
  publish(std::move(next));
  return true;
}

void Members::note_own_return(SteadyTime now) {
  std::lock_guard lock(mutex_);
  auto others = ring_without(*snapshot_->ring, self_);
  std::chrono::milliseconds handover = snapshot_->rules.handover;
  if (handover.count() == 0 || others->members().empty()) return;
  auto next = std::make_shared<Snapshot>(*snapshot_);
  std::erase_if(next->before, [&](const Snapshot::Before& before) {
    return before.until <= now || same_members(*before.ring, *others);
  });
  next->before.insert(next->before.begin(), {std::move(others), now + handover});
  if (next->before.size() > earlier_rings_max) next->before.pop_back();
  publish(std::move(next));
}

void Members::note_told(const std::string& name, const Figures& figures, SteadyTime now) {
  auto fleet = snapshot();
  std::lock_guard lock(told_mutex_);
  std::erase_if(told_, [&](const auto& each) {
    return index_of(*fleet, each.first) == fleet->members.size();
  });
  if (index_of(*fleet, name) == fleet->members.size()) return;
  auto before = told_.find(name);
  auto then = before == told_.end() ? std::nullopt : std::optional(before->second);
  told_[name] = tell(then, figures, now);
}

std::optional<Told> Members::told(const std::string& name) const {
  std::lock_guard lock(told_mutex_);
  auto at = told_.find(name);
  if (at == told_.end()) return std::nullopt;
  return at->second;
}

std::vector<Peer> Members::peers_up() const {
  auto fleet = snapshot();
  std::vector<Peer> peers;
  for (std::size_t i = 0; i < fleet->members.size(); ++i) {
    bool other = fleet->members[i].name != self_;
    if (other && fleet->health[i].up) peers.push_back(peer_at(*fleet, i));
  }
  return peers;
}

/// What the ring was until now, and what it is with those that drain. To an edge that was alone it
/// is that of the others, as at its start.
void Members::remember(Snapshot& next, SteadyTime now) const {
  std::chrono::milliseconds handover = next.rules.handover;
  if (handover.count() == 0) return;
  auto keep = [&](std::shared_ptr<const Ring> ring, SteadyTime until) {
    auto same = [&](const Snapshot::Before& each) { return same_members(*each.ring, *ring); };
    auto kept = std::ranges::find_if(next.before, same);
    if (kept != next.before.end()) {
      kept->until = std::max(kept->until, until);
      return;
    }
    if (ring->members().empty() || until <= now || next.before.size() == earlier_rings_max) return;
    if (!same_members(*ring, *next.ring)) next.before.push_back({std::move(ring), until});
  };
  if (is_only(*snapshot_->ring, self_)) {
    keep(ring_without(*next.ring, self_), now + handover);
  } else if (!same_members(*snapshot_->ring, *next.ring)) {
    keep(snapshot_->ring, now + handover);
  }
  for (const Snapshot::Before& before : snapshot_->before) {
    // One with members that drained is kept again below while they do.
    keep(before.ring, std::min(before.until, now + handover));
  }
  bool drains = std::ranges::any_of(next.members, &Member::drain);
  if (drains) keep(std::make_shared<const Ring>(next.members), SteadyTime::max());
}

void Members::replace(std::vector<Member> members, SteadyTime now) {
  auto ring = ring_of(members, [](const Member& member) { return !member.drain; });
  std::lock_guard lock(mutex_);
  auto next = std::make_shared<Snapshot>(snapshot_->rules);
  next->ring = std::move(ring);
  add_members(*next, next->ring->members());
  add_members(*next, members);
  next->listed = next->members.size();
  remember(*next, now);
  for (const Snapshot::Before& before : next->before) add_members(*next, before.ring->members());
  next->health.resize(next->members.size());
  for (std::size_t i = 0; i < next->members.size(); ++i) {
    std::size_t before = index_of(*snapshot_, next->members[i].name);
    bool stays = before < snapshot_->health.size();
    if (stays) next->health[i] = snapshot_->health[before];
    next->lines.push_back(stays ? snapshot_->lines[before] : std::make_shared<Line>());
  }
  publish(std::move(next));
}

void Members::set_rules(Rules rules) {
  std::lock_guard lock(mutex_);
  auto next = std::make_shared<Snapshot>(*snapshot_);
  rules.spread = snapshot_->rules.spread;
  next->rules = rules;
  publish(std::move(next));
}

}  // namespace relay::edge::fleet
