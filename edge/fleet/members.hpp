// Who is in the fleet and who is up. The ring is fixed by the config; health is what this edge has
// seen itself: a member that failed is skipped at once and comes back when a probe (fleet/probe)
// finds it, no sooner than its hold-down. Thread-safe; time is given, not read.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.hpp"
#include "edge/fleet/ring.hpp"

namespace relay::edge::fleet {

struct Health {
  bool up = true;
  unsigned failures = 0;  // of requests in a row, without a success between
  SteadyTime probe_at{};  // when down: the next probe, not before
  bool operator==(const Health&) const = default;
};

/// One state of the fleet; never changes.
struct Snapshot {
  std::shared_ptr<const Ring> ring;
  std::vector<Health> health;  // in the order of ring->members()
};

class Members {
 public:
  /// `self` is this edge's own name. No members: every key is ours.
  Members(std::string self, std::vector<Member> members, std::chrono::milliseconds probe_interval);

  const std::string& self() const { return self_; }
  bool alone() const;
  std::shared_ptr<const Snapshot> snapshot() const;

  /// Whom to ask for a key before the origin, in order: members that are up and come before this
  /// edge in the key's order, at most peers_asked_max. Empty: this edge owns it now.
  std::vector<Member> peers_for(std::string_view key) const;
  static constexpr std::size_t peers_asked_max = 2;

  /// A request to it failed before its answer began (refused, timeout, reset). Returns true when
  /// this is what took it down. Unknown names are ignored, here and below.
  bool report_failure(std::string_view name, SteadyTime now);
  /// A request to it was answered.
  void report_success(std::string_view name);

  /// The members whose probe is due; each is due again one interval later.
  std::vector<Member> take_due_probes(SteadyTime now);
  /// A probe was answered: it is up again.
  void mark_up(std::string_view name);

  /// A new configuration (SIGHUP); the health of members that stay is kept.
  void replace(std::vector<Member> members);

 private:
  template <class Change>
  bool change(std::string_view name, Change apply);

  const std::string self_;
  const std::chrono::milliseconds probe_interval_;
  mutable std::mutex mutex_;  // guards the pointer; held to copy or swap it
  std::shared_ptr<const Snapshot> snapshot_;
};

}  // namespace relay::edge::fleet
