// How good the shadows' estimates are: what the policy expects of other sizes beside replays of
// those sizes.
#pragma once

#include <string>
#include <vector>

#include "bench/replay/contender.hpp"
#include "edge/policy/tally.hpp"

namespace relay::bench {

/// One expectation, and the tally of the replay, which fades as the tuner's do.
struct Estimate {
  edge::policy::Expectation expected;
  edge::policy::Tally real;
  std::size_t sampled_keys = 0;

  double object_off() const { return expected.object_miss - real.object_miss(); }
  double byte_off() const { return expected.byte_miss - real.byte_miss(); }
};

/// At half, once, twice and four times the size, at the trace's end.
std::vector<Estimate> estimate(const Trace& trace, const Setup& setup);
std::string text_of(const Estimate& estimate);
/// Over all of them, for objects and for bytes: how far off on average and at worst, and how many
/// lie within the error that is told, and within twice of it.
std::string sum_up(const std::vector<Estimate>& estimates);

}  // namespace relay::bench
