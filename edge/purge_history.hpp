// What this edge knows of the fleet's purges. Each is named once and for all by the member that
// took it and a stamp that only rises there: the clock's microseconds, or one more than the last
// one. Every member learns another's purges in the order of their stamps, so the highest stamp of
// each says what it knows, and two such vectors what one of them missed. The oldest are forgotten
// when there are many; whoever missed more than is remembered has to take everything for purged.
// Thread-safe; no I/O, and time comes as a value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.hpp"
#include "edge/purge.hpp"

namespace relay::edge {

struct PurgeId {
  std::string member;
  std::uint64_t stamp = 0;
  bool operator==(const PurgeId&) const = default;
};

struct FleetPurge {
  PurgeId id;
  WallTime at{};
  Purge purge;
  bool operator==(const FleetPurge&) const = default;
};

/// Stamps by member; 0 for whoever is not in it.
using PurgeVector = std::map<std::string, std::uint64_t, std::less<>>;
std::uint64_t stamp_of(const PurgeVector& vector, std::string_view member);

/// Purges that one member tells another: of each member named in `reached` those behind `after`, in
/// the order of stamps. Whoever has taken them in knows all up to `reached`.
struct PurgeNews {
  PurgeVector after;
  PurgeVector reached;
  std::vector<FleetPurge> purges;
  bool more = false;  // there is more behind them
  bool operator==(const PurgeNews&) const = default;
};

/// What is known of one member's purges: all up to `highest`, and those behind `floor` by name.
struct PurgeReach {
  std::uint64_t highest = 0;
  std::uint64_t floor = 0;
  bool operator==(const PurgeReach&) const = default;
};

/// What taking in news changes; to be written down before it is adopted.
struct PurgeChange {
  std::vector<FleetPurge> purges;  // not known so far
  std::map<std::string, PurgeReach, std::less<>> reaches;
  std::vector<PurgeId> forgotten;
  bool lost = false;  // there were others that nobody can name any more
  bool empty() const { return purges.empty() && reaches.empty(); }
};

class PurgeHistory {
 public:
  /// Purges remembered for others, and the bytes of what they name.
  static constexpr std::size_t purges_max = 16'384;
  static constexpr std::size_t text_bytes_max = 8 << 20;
  /// Of news told at once.
  static constexpr std::size_t news_purges_max = 1'024;
  static constexpr std::size_t news_text_bytes_max = 256 << 10;

  explicit PurgeHistory(std::string self) : self_(std::move(self)) {}

  const std::string& self() const { return self_; }
  PurgeVector reached() const;
  std::uint64_t reached(std::string_view member) const;

  /// A purge that this edge takes, as news. The caller adopts it before it makes another.
  PurgeNews make(const Purge& purge, WallTime at) const;
  /// What somebody who knows `theirs` has missed.
  PurgeNews missed(const PurgeVector& theirs) const;
  /// The same of one member's purges only, of those behind `after`; of those this edge took itself.
  PurgeNews missed_of(std::string_view member, std::uint64_t after) const;
  PurgeNews missed_of_own(std::uint64_t after) const { return missed_of(self_, after); }

  /// Whether purges before the news are missing here.
  bool has_gap(const PurgeNews& news) const;
  /// Does not adopt it yet. What is known already is left out.
  PurgeChange change_of(const PurgeNews& news) const;
  void adopt(PurgeChange change);

  /// From the disk, in the order of stamps.
  void restore(std::string_view member, PurgeReach reach);
  void restore(FleetPurge purge);

 private:
  struct Member {
    PurgeReach reach;
    std::deque<FleetPurge> purges;
  };
  void tell(const std::string& name, const Member& member, std::uint64_t after, std::size_t& bytes,
            PurgeNews& news) const;
  void plan_forgetting(PurgeChange& change) const;

  const std::string self_;
  mutable std::mutex mutex_;  // guards what follows
  std::map<std::string, Member, std::less<>> members_;
  std::size_t count_ = 0;
  std::size_t text_bytes_ = 0;
};

}  // namespace relay::edge
