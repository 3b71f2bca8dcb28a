// Which plan suits today's traffic, and what another size of the cache would do: miniature
// simulations (Waldspurger et al., ATC'17) over a hash-sampled share of the keys. Pure; not
// thread-safe.
//
// One shadow a candidate plan, each with the sample's share of the capacity, sees every request of
// a sampled key. After each epoch the best plan takes over, when it is better by more than a margin
// and by more than the chance of the sample. Four more shadows follow the plan in force, change by
// change, at half, once, twice and four times the size.
//
// An object that takes more than 1/256 of the capacity is sampled the more often the larger it is,
// and takes the less room and counts the less for it, as if it lay in slices of which the sample
// has its share: else no shadow could hold a file of some GB, and one such key more or less in the
// sample would move every figure.
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

/// A request for a key.
struct Use {
  std::uint64_t hash = 0;
  std::uint64_t bytes = 0;         // of the body: what was asked for
  std::uint64_t charge_bytes = 0;  // what it takes of the capacity
  bool hit = false;                // what really became of it
  double weight = 1;               // for how many such requests it stands
};

struct TunerSettings {
  Goal goal = Goal::objects;
  std::uint64_t capacity_bytes = 0;
  double window_share_max = 0.5;  // of the capacity, by the memory there is
  bool window_is_stored = false;  // see Plan
  std::size_t entries_max = 36 * 1024;
};

/// What a cache of `size` times the capacity would have missed lately, in shares of what was asked.
/// The error is the sample's standard error together with how far its figure for this very size is
/// off what was measured, as root of the sum of squares.
struct Expectation {
  double size = 1;
  double object_miss = 1, object_error = 1;
  double byte_miss = 1, byte_error = 1;
};

/// What the cache itself missed lately.
struct Measured {
  double object_miss = 1, byte_miss = 1;
};

/// The plan in force, and what it and other sizes of the cache miss.
struct Forecast {
  Goal goal = Goal::objects;
  Plan plan;
  Measured measured;
  std::vector<Expectation> expectations;  // by size
  double sampled_share = 1;               // of the keys
  std::uint64_t sampled_requests = 0;
  std::size_t sampled_keys = 0;  // in the largest shadow
  bool known = false;            // else no byte was asked for yet: no ratio says anything
};

class Tuner {
 public:
  Tuner(const Sketch& sketch, const TunerSettings& settings);

  /// Every request, found or not; the sketch has counted it already. True: plan() is another now.
  bool request(const Use& use);
  /// It comes into the shadows as if asked for, but counts as no request.
  void prime(const Use& use);
  const Plan& plan() const { return plan_; }

  std::vector<Expectation> expectations() const;
  Measured measured() const { return {all_.object_miss(), all_.byte_miss()}; }
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
  /// Of its bytes and requests, what counts in the sample; 0: it is not in it.
  double share_of(std::uint64_t hash, std::uint64_t bytes) const;
  const Shadow& in_force() const;
  std::uint64_t capacity_of(const Shadow& shadow) const;
  Expectation expect(const Shadow& shadow) const;
  void halve_sample();
  std::size_t entries() const;
  void keep_to_memory();
  bool choose();
  double cost(const Tally& tally) const;
  double gain(const Shadow& other) const;
  double covered() const;
  double effective() const;
  void fade();
  bool is_fit(const Shadow& shadow) const;

  TunerSettings settings_;
  Plan plan_;
  std::vector<Shadow> shadows_;  // the candidates, LRU the last of them, then the sizes
  std::size_t candidates_;
  Tally all_;                 // of every request, as it really went
  double squares_ = 0;        // of the bytes of all_'s requests, summed
  double sampled_bytes_ = 0;  // those of all_ that were asked of the shadows
  unsigned halvings_ = 0;     // the sample is 2^-halvings of the keys
  std::uint64_t sampled_requests_ = 0;
  std::size_t since_epoch_ = 0;
  std::uint64_t primed_ = 0;
  std::uint64_t epochs_ = 0, rests_until_ = 0;
  bool full_ = false;  // before that all plans do the same
};

}  // namespace relay::edge::policy
