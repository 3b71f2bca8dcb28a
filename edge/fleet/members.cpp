#include "edge/fleet/members.hpp"

#include <algorithm>
#include <utility>

namespace relay::edge::fleet {
namespace {

/// A member that fails again and again right after its probes is left alone longer each time, up
/// to 32 probe intervals.
constexpr unsigned hold_doublings_max = 5;

std::chrono::milliseconds hold(std::chrono::milliseconds interval, unsigned failures) {
  return interval * (1u << std::min(failures - 1, hold_doublings_max));
}

std::size_t index_of(const Snapshot& snapshot, std::string_view name) {
  auto members = snapshot.ring->members();
  auto at = std::ranges::find(members, name, &Member::name);
  return static_cast<std::size_t>(at - members.begin());
}

}  // namespace

Members::Members(std::string self, std::vector<Member> members,
                 std::chrono::milliseconds probe_interval)
    : self_(std::move(self)), probe_interval_(probe_interval) {
  replace(std::move(members));
}

bool Members::alone() const {
  return snapshot()->ring->members().size() < 2;
}

std::shared_ptr<const Snapshot> Members::snapshot() const {
  std::lock_guard lock(mutex_);
  return snapshot_;
}

std::vector<Member> Members::peers_for(std::string_view key) const {
  auto now = snapshot();
  std::vector<Member> peers;
  auto members = now->ring->members();
  for (std::size_t i : now->ring->owners(ring_hash(key), members.size())) {
    if (members[i].name == self_ || peers.size() == peers_asked_max) break;
    if (now->health[i].up) peers.push_back(members[i]);
  }
  return peers;
}

/// Applies the change to a copy of the member's health and publishes it, if it changed anything.
/// `apply` gives what the caller wants to know.
template <class Change>
bool Members::change(std::string_view name, Change apply) {
  std::lock_guard lock(mutex_);
  std::size_t index = index_of(*snapshot_, name);
  if (index == snapshot_->health.size()) return false;
  Health health = snapshot_->health[index];
  bool answer = apply(health);
  if (health == snapshot_->health[index]) return answer;
  auto next = std::make_shared<Snapshot>(*snapshot_);
  next->health[index] = health;
  snapshot_ = std::move(next);
  return answer;
}

bool Members::report_failure(std::string_view name, SteadyTime now) {
  return change(name, [&](Health& health) {
    if (!health.up) return false;  // one of many requests that were under way
    health.up = false;
    ++health.failures;
    health.probe_at = now + hold(probe_interval_, health.failures);
    return true;
  });
}

void Members::report_success(std::string_view name) {
  change(name, [](Health& health) {
    health = Health{};
    return true;
  });
}

void Members::mark_up(std::string_view name) {
  change(name, [](Health& health) {
    health.up = true;
    return true;
  });
}

std::vector<Member> Members::take_due_probes(SteadyTime now) {
  std::lock_guard lock(mutex_);
  std::vector<Member> due;
  std::shared_ptr<Snapshot> next;
  for (std::size_t i = 0; i < snapshot_->health.size(); ++i) {
    const Health& health = snapshot_->health[i];
    if (health.up || health.probe_at > now) continue;
    if (!next) next = std::make_shared<Snapshot>(*snapshot_);
    next->health[i].probe_at = now + probe_interval_;
    due.push_back(snapshot_->ring->members()[i]);
  }
  if (next) snapshot_ = std::move(next);
  return due;
}

void Members::replace(std::vector<Member> members) {
  auto next = std::make_shared<Snapshot>();
  next->ring = std::make_shared<const Ring>(std::move(members));
  next->health.resize(next->ring->members().size());
  std::lock_guard lock(mutex_);
  for (std::size_t i = 0; snapshot_ && i < next->health.size(); ++i) {
    std::size_t before = index_of(*snapshot_, next->ring->members()[i].name);
    if (before < snapshot_->health.size()) next->health[i] = snapshot_->health[before];
  }
  snapshot_ = std::move(next);
}

}  // namespace relay::edge::fleet
