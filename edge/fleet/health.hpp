// What one edge knows of another's health: a circuit breaker that its own requests and probes
// work. Closed: it is asked. The first failure opens it for everybody here; then only probes go to
// it, after a hold-down that doubles with each return that fails. A probe that is answered makes
// it half-open: it is asked again, for few keys at first, and closes with its first answer. Its
// share of the keys ramps up over the slow start, so that a cold or shaken member is not run over.
// Pure: time is given.
#pragma once

#include <chrono>
#include <cstdint>

#include "common/base/clock.hpp"

namespace relay::edge::fleet {

enum class Breaker { closed, half_open, open };

struct HealthRules {
  std::chrono::milliseconds probe_interval;  // the first hold-down, and between probes
  std::chrono::milliseconds slow_start;      // from its return to its full share; 0: at once
};

struct Health {
  bool up = true;  // it may be asked: closed or half-open
  Breaker breaker = Breaker::closed;
  unsigned failures = 0;    // openings in a row, without an answer between
  SteadyTime gone_since{};  // when open: when it became so
  SteadyTime probe_at{};    // when open: the next probe, not before
  SteadyTime back_since{};  // when it came back last; the beginning of time: it was never away
  bool operator==(const Health&) const = default;
};

/// A request or a probe failed. True: this opened it.
bool note_failure(Health& health, const HealthRules& rules, SteadyTime now);
/// It says that it leaves: as open as after a failure, and no failure.
void note_leaving(Health& health, const HealthRules& rules, SteadyTime now);
/// A request was answered.
void note_answer(Health& health);
/// A probe was answered. True: it is back. One that nobody has asked anything since its return
/// closes with its first probe after the slow start.
bool note_probe_answer(Health& health, const HealthRules& rules, SteadyTime now);
/// Whether one that is not closed is to be probed now; then it is due again one interval later.
bool take_probe(Health& health, const HealthRules& rules, SteadyTime now);

/// The part of its keys that it is given now: 0 when open, 1 once the slow start is over.
double share_of(const Health& health, const HealthRules& rules, SteadyTime now);
/// Whether it is given this key. As the share grows keys are added, never taken away, the same
/// ones at each edge.
bool takes(const Health& health, const HealthRules& rules, std::uint64_t key_hash, SteadyTime now);

}  // namespace relay::edge::fleet
