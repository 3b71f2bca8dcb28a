// Who is in the fleet, who owns what, who is up. The members come from the config; health is what
// this edge has seen itself (fleet/health): a member that failed is skipped at once and comes back
// when a probe (fleet/probe) finds it. For a while after the ring has changed the members that
// owned a key before are known as well, so that a key's new owner can ask them before the origin.
// Thread-safe: reads take no lock while nothing changes. Time is given, not read.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.hpp"
#include "edge/fleet/answer_times.hpp"
#include "edge/fleet/figures.hpp"
#include "edge/fleet/health.hpp"
#include "edge/fleet/placement.hpp"
#include "edge/fleet/ring.hpp"

namespace relay::edge::fleet {

/// What runs between this edge and one member until its breaker opens; then a new one begins.
/// Changed by all threads.
struct Line {
  using Count = std::shared_ptr<std::atomic<std::uint64_t>>;
  explicit Line(Count asked = std::make_shared<std::atomic<std::uint64_t>>(0))
      : asked(std::move(asked)) {}
  const Count asked;                  // requests sent to the member, over all its lines
  AnswerTimes times;                  // until answers began
  std::atomic<int> under_way{0};      // requests that it has not answered whole
  std::atomic<bool> probed{false};    // a probe is under way
  std::atomic<bool> met{false};       // it has answered a probe
  std::atomic<bool> given_up{false};  // its breaker opened: what is under way goes on elsewhere
};
using LinePtr = std::shared_ptr<Line>;

/// A request under way, counted as long as this lives.
class UnderWay {
 public:
  explicit UnderWay(LinePtr line) : line_(std::move(line)) { ++line_->under_way; }
  ~UnderWay() { --line_->under_way; }
  UnderWay(const UnderWay&) = delete;

 private:
  LinePtr line_;
};

struct Peer : Member {
  LinePtr line;
};

struct Rules : HealthRules {
  Rules(std::chrono::milliseconds probe_interval, std::chrono::milliseconds slow_start = {},
        std::chrono::milliseconds handover = {}, Spread spread = Spread::object)
      : HealthRules{probe_interval, slow_start}, handover(handover), spread(spread) {}
  std::chrono::milliseconds handover;  // how long an earlier ring is remembered; 0: not at all
  Spread spread;
};

/// One state of the fleet; never changes, but for what its lines count.
struct Snapshot {
  explicit Snapshot(Rules rules) : rules(rules) {}
  std::uint64_t number = 0;  // no other snapshot has it
  Rules rules;
  std::shared_ptr<const Ring> ring = std::make_shared<const Ring>();
  std::vector<Member> members;  // those of the ring, in its order; then those that only held keys
  std::size_t listed = 0;       // so many of them are in the config; the others have left the fleet
  std::vector<Health> health;   // in the order of members, as the lines
  std::vector<LinePtr> lines;
  struct Before {
    std::shared_ptr<const Ring> ring;
    SteadyTime until;
  };
  std::vector<Before> before;  // earlier rings, the latest first
};

class Members {
 public:
  using Rules = fleet::Rules;

  /// `self` is this edge's own name. No members: every key is ours. An edge that has just started
  /// takes the ring without itself for the earlier one.
  Members(std::string self, std::vector<Member> members, Rules rules, SteadyTime now = {});

  const std::string& self() const { return self_; }
  bool alone() const;
  std::shared_ptr<const Snapshot> snapshot() const;

  /// Whom to ask for a primary key before the origin, in order: members that are up and come before
  /// this edge in the key's order, as the placement wants it; at most peers_asked_max. Empty: this
  /// edge owns it now.
  std::vector<Peer> peers_for(std::string_view key, SteadyTime now,
                              Placement::Want want = Placement::Want::owner);
  static constexpr std::size_t peers_asked_max = 2;
  /// What this edge asked each member of the ring lately (Placement::loads()), in its order.
  std::vector<double> loads() const;
  /// Who else may hold the key, to be asked for what it holds only: an owner that is back but does
  /// not get it yet, its owners in earlier rings and on a ring with the members that drain; and for
  /// the handover after its owner has gone, when the key is this edge's now, those behind this edge
  /// in the key's order, who may have it from that owner. At most holders_asked_max, this edge
  /// never.
  std::vector<Peer> holders_for(std::string_view key, SteadyTime now) const;
  static constexpr std::size_t holders_asked_max = 2;
  /// The next in the key's order behind `slow` that is up, if any: it may hold a copy.
  std::optional<Peer> stand_in_for(std::string_view key, std::string_view slow) const;

  /// A request to it failed before its answer began (refused, timeout, reset), or a probe did.
  /// Returns true when this is what took it down; all that is under way to it is given up.
  /// Unknown names are ignored, here and below.
  bool report_failure(std::string_view name, SteadyTime now);
  /// A request to it was answered.
  void report_success(std::string_view name);

  /// The members whose probe is due: those that are down or just back, each again one interval
  /// later, and those that have not answered all that they were asked.
  std::vector<Peer> take_due_probes(SteadyTime now);
  /// All others that are up.
  std::vector<Peer> peers_up() const;
  /// A probe was answered. True: it is up again.
  bool mark_up(std::string_view name, SteadyTime now);

  /// It says that it leaves: it gets no new keys, and what it owes it still gives. True: it was up.
  bool report_leaving(std::string_view name, SteadyTime now);

  /// This edge was away, as it has found out: for the handover it asks who owns its keys without
  /// it.
  void note_own_return(SteadyTime now);

  /// Its figures, and what they and those before say of its load; nullopt before any came.
  void note_told(const std::string& name, const Figures& figures, SteadyTime now);
  std::optional<Told> told(const std::string& name) const;

  /// A new configuration (SIGHUP); the health of members that stay is kept.
  void replace(std::vector<Member> members, SteadyTime now);
  /// Other rules from now on, but for the spread: it stays, for it says whom keys belong to.
  void set_rules(Rules rules);

 private:
  template <class Change>
  bool change(std::string_view name, Change apply);
  std::vector<std::size_t> just_back_before(const Snapshot& fleet, std::uint64_t key_hash,
                                            SteadyTime now) const;
  std::vector<std::size_t> those_behind(const Snapshot& fleet, std::uint64_t key_hash,
                                        SteadyTime now) const;
  void publish(std::shared_ptr<Snapshot> next);
  void remember(Snapshot& next, SteadyTime now) const;

  const std::string self_;
  std::atomic<std::uint64_t> number_{0};  // of the snapshot in force
  mutable std::mutex mutex_;              // guards the pointer; held to copy or swap it
  std::shared_ptr<const Snapshot> snapshot_;
  mutable std::mutex placement_mutex_;  // a miss takes it for some microseconds, a hit never
  Placement placement_;
  mutable std::mutex told_mutex_;
  std::map<std::string, Told> told_;
};

}  // namespace relay::edge::fleet
