// Whom to ask for a key. One ordered list a key, from the ring, gives all of it: its first member
// that is up owns the key, the next ones stand in when it fails, hold copies while the key is hot,
// and take what is above the bound. Pure: time is given; not thread-safe. The rules:
//
// * A key that is more than a tenth of one member's part of the asking is hot. It gets
//   1 + ceil(4 × that part) owners, the first of its order.
// * Among the owners of a hot key those in this edge's zone come first. Of them the first in
//   order is asked while its load is near the mean, else the least loaded.
// * No member is asked more than 1.25 times the mean of its zone: what has been asked before goes
//   on to the next in order (bounded load, Mirrokni et al. 2018).
// * Whoever is asked instead of the owner asks for what it lacks those before it in the key's
//   order, the owner first (edge/upstream). So the origin is still asked once.
//
// The load of a member is what this edge has asked it, not what it says: each edge keeps its own
// asking even, so the sum is even however viewers are spread, and nobody runs after the same
// member because all have heard that it is idle.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.hpp"
#include "edge/fleet/demand.hpp"
#include "edge/fleet/ring.hpp"

namespace relay::edge::fleet {

/// What is placed: each object by itself, or a title with all that belongs to it.
enum class Spread { object, title };
std::string_view name_of(Spread spread);
/// "title", or else object.
Spread spread_of(std::string_view name);

/// The part of a primary key ("/path?query" or "host/path?query") that keys are placed by: all of
/// it, or "/{tenant}/{asset}", the first two segments of the path (the host before them stays).
std::string_view placing_key(std::string_view primary_key, Spread spread);

/// How many of `members` own a key that is `share` (0 to 1) of all asking: 1 unless it is hot.
std::size_t owners_wanted(double share, std::size_t members);

class Placement {
 public:
  /// A member up to this part above the mean is asked before others that own a hot key too.
  static constexpr double near_mean = 1.05;
  static constexpr double load_bound = 1.25;
  /// Fewer requests than this say nothing of a key; so many above a bound may be chance.
  static constexpr std::uint32_t telling_count = 8;
  /// What was counted weighs half of it after each.
  static constexpr std::chrono::seconds half_life{30};
  /// Earlier ones weigh nothing.
  static constexpr int half_lives_max = 32;

  Placement(std::string self, Spread spread) : self_(std::move(self)), spread_(spread) {}

  enum class Want {
    any_holder,  // for a viewer: counted, and whoever should have it will do
    owner,       // to change it, or to make a copy of it
  };
  /// At most `most` members, as indices into ring->members(), to ask one after the other before the
  /// origin; empty: this edge owns the key now, or is in no fleet. The first is counted as asked.
  /// `up` is in the order of ring->members(); members behind this edge in the key's order are never
  /// asked, so that edges cannot wait for one another in a circle.
  std::vector<std::size_t> candidates(const std::shared_ptr<const Ring>& ring,
                                      const std::vector<bool>& up, std::string_view primary_key,
                                      Want want, std::size_t most, SteadyTime now);

  /// What this edge has asked each member of the ring lately, itself included, in requests that
  /// lose half their weight each half_life. Empty before the first.
  const std::vector<double>& loads() const { return loads_; }
  Spread spread() const { return spread_; }

 private:
  void adopt(const std::shared_ptr<const Ring>& ring);
  void age(SteadyTime now);
  std::vector<std::size_t> members_before(std::uint64_t key_hash, const std::vector<bool>& up,
                                          std::size_t most) const;
  std::size_t choose(std::span<const std::size_t> owners, const std::vector<bool>& up) const;
  std::size_t spill(std::size_t chosen, std::span<const std::size_t> before,
                    const std::vector<bool>& up) const;
  double mean_load(std::size_t member, const std::vector<bool>& up) const;
  double relative_load(std::size_t member, const std::vector<bool>& up) const;
  bool above_bound(std::size_t member, const std::vector<bool>& up) const;

  const std::string self_;
  const Spread spread_;
  std::shared_ptr<const Ring> ring_;
  std::size_t self_index_ = 0;  // members().size() when this edge is not among them
  std::vector<double> loads_;
  Demand demand_;
  SteadyTime aged_at_{};
};

}  // namespace relay::edge::fleet
