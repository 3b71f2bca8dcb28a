// Which plan suits today's traffic, and what another size of the cache would do: miniature
// simulations (Waldspurger et al., ATC'17) over a hash-sampled share of the keys. Pure; not
// thread-safe.
//
// One shadow a candidate plan, each with the sample's share of the capacity, sees every request of
// a sampled key. After each epoch the best plan takes over, when it is better by more than a margin
// and by more than the chance of the sample. Three more shadows follow the plan in force at half,
// twice and four times the size.
//
// Memory: all shadows together hold at most `entries_max` entries of about 100 bytes; when they
// would hold more, the sample is halved. It starts with all keys, so that a small cache is judged
// by enough of them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "edge/policy/plan.hpp"
#include "edge/policy/shadow.hpp"

namespace relay::edge::policy {

struct TunerSettings {
  Goal goal = Goal::objects;
  std::uint64_t capacity_bytes = 0;
  double window_share_max = 0.5;  // of the capacity, by the memory there is
  std::size_t entries_max = 16 * 1024;
};

/// What a cache of `size` times the capacity would have missed lately, in shares of what was asked,
/// with the standard error that the choice of sampled keys leaves.
struct Expectation {
  double size = 1;
  double object_miss = 1, object_error = 1;
  double byte_miss = 1, byte_error = 1;
};

/// The plan in force, and what it and other sizes of the cache miss.
struct Forecast {
  Goal goal = Goal::objects;
  Plan plan;
  std::vector<Expectation> expectations;  // by size
  double sampled_share = 1;               // of the keys
  std::uint64_t sampled_requests = 0;
  std::size_t sampled_keys = 0;  // in the largest shadow
};

class Tuner {
 public:
  Tuner(const Sketch& sketch, const TunerSettings& settings);

  /// Every request, found or not; the sketch has counted it already. True: plan() is another now.
  bool request(std::uint64_t hash, std::uint64_t bytes);
  const Plan& plan() const { return plan_; }

  std::vector<Expectation> expectations() const;
  double sampled_share() const { return 1.0 / static_cast<double>(1ull << halvings_); }
  /// Requests and different keys that the figures rest on.
  std::uint64_t sampled_requests() const { return sampled_requests_; }
  std::size_t sampled_keys() const;  // in the largest shadow

  Forecast forecast() const;
  std::uint64_t epochs() const { return epochs_; }

  static std::vector<Plan> candidates(Goal goal);
  static constexpr std::size_t epoch_requests = 1024;  // sampled ones
  static constexpr double kept = 0.94;                 // of the tallies, an epoch

 private:
  bool is_sampled(std::uint64_t hash) const;
  const Shadow& in_force() const;
  std::uint64_t capacity_of(const Shadow& shadow) const;
  Expectation expect(const Shadow& shadow) const;
  void halve_sample();
  std::size_t entries() const;
  bool choose();
  double cost(const Tally& tally) const;
  double gain(const Shadow& other) const;
  bool is_fit(const Shadow& shadow) const;

  TunerSettings settings_;
  Plan plan_;
  std::vector<Shadow> shadows_;  // the candidates, LRU the last of them, then the other sizes
  std::size_t candidates_;
  Tally all_;              // of every request, for what was sampled too rarely or too often
  unsigned halvings_ = 0;  // the sample is 2^-halvings of the keys
  std::uint64_t sampled_requests_ = 0;
  std::size_t since_epoch_ = 0;
  std::uint64_t epochs_ = 0;
  bool full_ = false;  // before that all plans do the same
};

}  // namespace relay::edge::policy
