#include "edge/fleet/health.hpp"

#include <algorithm>

namespace relay::edge::fleet {
namespace {

/// A member that fails again and again right after its probes is left alone longer each time, up
/// to 32 probe intervals.
constexpr unsigned hold_doublings_max = 5;
/// What a member gets at the moment of its return; one that has not answered a request yet gets no
/// more than this.
constexpr double first_share = 0.1;

std::chrono::milliseconds hold(std::chrono::milliseconds interval, unsigned failures) {
  return interval * (1u << std::min(failures - 1, hold_doublings_max));
}

/// Bits of the key that the ring has not used: 0 to 1.
double place_of(std::uint64_t key_hash) {
  return static_cast<double>((key_hash * 0x9e3779b97f4a7c15u) >> 11) * 0x1p-53;
}

}  // namespace

bool note_failure(Health& health, const HealthRules& rules, SteadyTime now) {
  if (health.breaker == Breaker::open) return false;  // one of many requests that were under way
  health.up = false;
  health.breaker = Breaker::open;
  ++health.failures;
  health.gone_since = now;
  health.probe_at = now + hold(rules.probe_interval, health.failures);
  return true;
}

void note_leaving(Health& health, const HealthRules& rules, SteadyTime now) {
  if (health.breaker == Breaker::open) return;
  health.up = false;
  health.breaker = Breaker::open;
  health.gone_since = now;
  health.probe_at = now + rules.probe_interval;
}

void note_answer(Health& health) {
  if (health.breaker == Breaker::open) return;  // it answered what was under way before
  health.breaker = Breaker::closed;
  health.failures = 0;
}

bool note_probe_answer(Health& health, const HealthRules& rules, SteadyTime now) {
  bool unasked =
      health.breaker == Breaker::half_open && now - health.back_since >= rules.slow_start;
  if (unasked) note_answer(health);
  if (health.breaker != Breaker::open) return false;
  health.up = true;
  health.breaker = Breaker::half_open;
  health.back_since = now;
  return true;
}

bool take_probe(Health& health, const HealthRules& rules, SteadyTime now) {
  if (health.breaker == Breaker::closed || health.probe_at > now) return false;
  health.probe_at = now + rules.probe_interval;
  return true;
}

double share_of(const Health& health, const HealthRules& rules, SteadyTime now) {
  if (health.breaker == Breaker::open) return 0;
  if (health.back_since == SteadyTime{} || rules.slow_start.count() == 0) return 1;
  if (health.breaker == Breaker::half_open) return first_share;
  std::chrono::duration<double> back = now - health.back_since, whole = rules.slow_start;
  return std::clamp(back / whole, first_share, 1.0);
}

bool takes(const Health& health, const HealthRules& rules, std::uint64_t key_hash, SteadyTime now) {
  return place_of(key_hash) < share_of(health, rules, now);
}

}  // namespace relay::edge::fleet
