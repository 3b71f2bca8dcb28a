#include "edge/policy/tuner.hpp"

#include <algorithm>
#include <cmath>

namespace relay::edge::policy {
namespace {

// A plan that is better by less than this share of all requests (or bytes) is not worth the change.
constexpr double margin = 0.0005;
// How many standard errors a gain has to exceed.
constexpr double errors = 2;
// What the goal "writes" must miss less than LRU, so that the live cache is not worse by chance.
constexpr double spare = 0.995;
constexpr double window_share_least = 0.001;
// After a change: until the tallies have forgotten what was before it, and the cache holds what the
// plan's shadow holds. A trace of two phases lost four points of byte misses by changing at once.
constexpr std::uint64_t rest_epochs = 16;
constexpr double far_worse = 1e30;
// By bytes a few large files may outweigh all other requests. So many that weigh alike are
// remembered at least, and a gain has to exceed the chance of so many, by this factor.
constexpr double effective_least = 512;
constexpr double chance_factor = 0.5;
// An object that takes more than such a part of the capacity is sampled in proportion to its bytes.
constexpr std::uint64_t large_parts = 256;

/// Another mixture of the hash's bits than the sketch and the tables use.
std::uint64_t mixed(std::uint64_t hash) {
  hash = (hash ^ hash >> 31) * 0x94d049bb133111eb;
  return hash ^ hash >> 29;
}

Plan recent(Plan plan) {
  plan.memory = Memory::recent;
  return plan;
}

}  // namespace

std::vector<Plan> Tuner::candidates(Goal goal) {
  switch (goal) {
    case Goal::objects:
      return {{0.1, 0.5, 1, 2, 0, true},      {0.1, 0.5, 1, 2, 1, false},
              {0.5, 1, 0.5, 1, 0, true},      {0.01, 1, 1, 1, 1, true},
              {0.1, 1, 1, 2, 1, false},       {0.25, 0.5, 1, 1, 0, true},
              {0.01, 1, 1, 2, 2, false},      recent({0.01, 1, 1, 1, 1, true}),
              recent({0.1, 0, 1, 2, 0, true})};
    case Goal::bytes:
      return {{0.1, 0.5, 0.5, 2, 1, true},
              {0.1, 0, 1, 2, 0, true},
              {0.5, 0, 0, 2, 0, true},
              {0.1, 0, 0.5, 1, 0, true},
              {0.01, 0, 1, 2, 1, false},
              {0.5, 0.5, 1, 2, 1, true},
              {0.1, 0, 1, 2, 2, true},
              {0.01, 0, 1, 2, 2, true},
              recent({0.01, 0, 1, 1, 1.1, true}),
              recent({0.1, 0, 1, 2, 0, true})};
    case Goal::writes:
      return {{0.1, 0.5, 1, 2, 0.5, false},    {0.5, 0, 1, 2, 1, false},
              {0.1, 0.5, 1, 2, 1, false},      {0.1, 0.5, 1, 2, 2, false},
              {0.5, 1, 0.5, 2, 1, false},      {0.25, 0.5, 1, 2, 1, false},
              {0.01, 1, 1, 2, 2, false},       recent({0.01, 0, 1, 2, 1.1, false}),
              recent({0.1, 0, 1, 2, 1, false})};
  }
  return {};
}

Tuner::Tuner(const Sketch& sketch, const TunerSettings& settings) : settings_(settings) {
  // Without a window, to wait for a second use would cost every key a miss: that has to prove
  // itself.
  if (settings.window_share_max < window_share_least) {
    shadows_.emplace_back(sketch, Plan{0, 0.5, 1, 1, 0, true}, 1);
  }
  for (Plan plan : candidates(settings.goal)) {
    plan.window_share = std::min(plan.window_share, settings.window_share_max);
    plan.window_is_stored = settings.window_is_stored;
    shadows_.emplace_back(sketch, plan, 1);
  }
  plan_ = shadows_.front().tiers->plan();
  shadows_.emplace_back(sketch, lru_plan, 1);
  candidates_ = shadows_.size();
  for (double size : {0.5, 1.0, 2.0, 4.0}) shadows_.emplace_back(sketch, plan_, size);
}

double Tuner::share_of(std::uint64_t hash, std::uint64_t bytes) const {
  if (halvings_ == 0) return 1;
  double large = static_cast<double>(large_parts * bytes) /
                 static_cast<double>(std::max<std::uint64_t>(settings_.capacity_bytes, 1));
  double rate = std::clamp(large, sampled_share(), 1.0);
  bool sampled = static_cast<double>(mixed(hash)) * 0x1p-64 < rate;
  return sampled ? sampled_share() / rate : 0;
}

std::uint64_t Tuner::capacity_of(const Shadow& shadow) const {
  return static_cast<std::uint64_t>(shadow.size * sampled_share() *
                                    static_cast<double>(settings_.capacity_bytes));
}

std::size_t Tuner::entries() const {
  std::size_t sum = 0;
  for (const Shadow& shadow : shadows_) sum += shadow.tiers->size();
  return sum;
}

std::size_t Tuner::sampled_keys() const {
  return shadows_.back().tiers->size();
}

bool Tuner::request(const Use& use) {
  all_.add(use.bytes, {use.hit, 0}, use.weight);
  squares_ += use.weight * static_cast<double>(use.bytes) * static_cast<double>(use.bytes);
  double share = share_of(use.hash, use.charge_bytes);
  if (share == 0) return false;
  ++sampled_requests_;
  sampled_bytes_ += use.weight * static_cast<double>(use.bytes);
  Newcomer asked{.id = use.hash, .hash = use.hash, .bytes = use.charge_bytes, .share = share};
  for (Shadow& shadow : shadows_) {
    Outcome outcome = policy::request(*shadow.tiers, capacity_of(shadow), asked);
    shadow.tallies[mixed(use.hash) % Shadow::parts].add(use.bytes, outcome, share * use.weight);
  }
  if (++since_epoch_ < epoch_requests) return false;
  since_epoch_ = 0;
  ++epochs_;
  bool changed = choose();
  if (settings_.goal != Goal::bytes || effective() > effective_least) fade();
  keep_to_memory();
  return changed;
}

void Tuner::fade() {
  for (Shadow& shadow : shadows_) {
    for (Tally& part : shadow.tallies) part.fade(kept);
  }
  all_.fade(kept);
  squares_ *= kept;
  sampled_bytes_ *= kept;
}

void Tuner::prime(const Use& use) {
  double share = share_of(use.hash, use.charge_bytes);
  if (share == 0) return;
  Newcomer asked{.id = use.hash, .hash = use.hash, .bytes = use.charge_bytes, .share = share};
  for (Shadow& shadow : shadows_) policy::request(*shadow.tiers, capacity_of(shadow), asked);
  if (++primed_ % epoch_requests == 0) keep_to_memory();
}

void Tuner::keep_to_memory() {
  if (entries() > settings_.entries_max) halve_sample();
}

void Tuner::halve_sample() {
  ++halvings_;
  for (Shadow& shadow : shadows_) {
    shadow.tiers->resample(
        [&](std::uint64_t hash, std::uint64_t bytes) { return share_of(hash, bytes); });
    shrink(*shadow.tiers, capacity_of(shadow));
    for (Tally& part : shadow.tallies) part.fade(0.5);  // as if it had been half before
  }
}

/// What of a tally the goal wants to be little.
double Tuner::cost(const Tally& tally) const {
  switch (settings_.goal) {
    case Goal::objects:
      return tally.misses / std::max(1.0, tally.requests);
    case Goal::bytes:
      return tally.missed_bytes / std::max(1.0, tally.bytes);
    case Goal::writes:
      return tally.written_bytes / std::max(1.0, tally.bytes);
  }
  return 0;
}

/// By how much `other` costs less than the plan in force, less what may be chance: the error of
/// that difference among the parts of the sample, for two plans that differ by a few hot keys are
/// alike, and that of few requests.
double Tuner::gain(const Shadow& other) const {
  const Shadow& mine = in_force();
  std::array<double, Shadow::parts> gains;
  double sum = 0, spread = 0;
  for (std::size_t i = 0; i < gains.size(); ++i) {
    sum += gains[i] = cost(mine.tallies[i]) - cost(other.tallies[i]);
  }
  double mean = sum / Shadow::parts;
  for (double gain : gains) spread += (gain - mean) * (gain - mean);
  double of_keys = spread / (Shadow::parts * (Shadow::parts - 1)) * (1 - covered());
  double of_requests = covered() * chance_factor / std::sqrt(effective());
  return mean - errors * std::sqrt(of_keys) - of_requests;
}

/// How much of all that was asked came to the shadows. Files of some GB all do, so that no choice
/// of keys can mislead where they weigh most. 0 where requests count, and not their bytes.
double Tuner::covered() const {
  if (settings_.goal != Goal::bytes) return 0;
  return std::min(1.0, sampled_bytes_ / std::max(1.0, all_.bytes));
}

/// How many requests of the same size would leave as much to chance as the remembered ones.
double Tuner::effective() const {
  if (settings_.goal != Goal::bytes) return all_.requests;
  return all_.bytes * all_.bytes / std::max(1.0, squares_);
}

/// Only plans that miss no more than LRU may save writes.
bool Tuner::is_fit(const Shadow& shadow) const {
  if (settings_.goal != Goal::writes) return true;
  return shadow.sum().misses <= shadows_[candidates_ - 1].sum().misses * spare;
}

bool Tuner::choose() {
  const Shadow& yardstick = shadows_[candidates_ - 1];
  full_ = full_ || yardstick.tiers->store_bytes() > capacity_of(yardstick) / 10 * 9;
  if (!full_) return false;
  if (epochs_ < rests_until_) return false;
  Plan best = plan_;
  double most = is_fit(in_force()) ? margin : -far_worse;
  for (std::size_t i = 0; i < candidates_; ++i) {
    if (shadows_[i].tiers->plan() == plan_ || !is_fit(shadows_[i])) continue;
    double mine = gain(shadows_[i]);
    if (mine > most) best = shadows_[i].tiers->plan(), most = mine;
  }
  if (best == plan_) return false;
  plan_ = best;
  rests_until_ = epochs_ + rest_epochs;
  for (std::size_t i = candidates_; i < shadows_.size(); ++i) shadows_[i].tiers->replan(best);
  return true;
}

const Shadow& Tuner::in_force() const {
  return *std::ranges::find_if(shadows_,
                               [&](const Shadow& each) { return each.tiers->plan() == plan_; });
}

/// Misses over what should have been sampled (SHARDS-adj): a hot key in or out of the sample moves
/// the hits, which are not counted, and hardly the misses.
Expectation Tuner::expect(const Shadow& shadow) const {
  double requests = all_.requests * sampled_share(), bytes = all_.bytes * sampled_share();
  if (requests <= 0 || bytes <= 0) return {.size = shadow.size};
  Tally sum = shadow.sum();
  double objects_spread = 0, bytes_spread = 0;
  for (const Tally& part : shadow.tallies) {
    objects_spread += std::pow(part.misses - sum.misses / Shadow::parts, 2);
    bytes_spread += std::pow(part.missed_bytes - sum.missed_bytes / Shadow::parts, 2);
  }
  // The sum's variance is the number of parts times that of one; a sample of everything has none.
  double factor = Shadow::parts / (Shadow::parts - 1.0) * (1 - sampled_share());
  return {.size = shadow.size,
          .object_miss = std::min(1.0, sum.misses / requests),
          .object_error = std::sqrt(objects_spread * factor) / requests,
          .byte_miss = std::min(1.0, sum.missed_bytes / bytes),
          .byte_error = std::sqrt(bytes_spread * factor) / bytes};
}

Forecast Tuner::forecast() const {
  return {settings_.goal,    plan_,          measured(),    expectations(), sampled_share(),
          sampled_requests_, sampled_keys(), all_.bytes > 0};
}

std::vector<Expectation> Tuner::expectations() const {
  std::vector<Expectation> all;
  for (std::size_t i = candidates_; i < shadows_.size(); ++i) all.push_back(expect(shadows_[i]));
  auto same = std::ranges::find(all, 1.0, &Expectation::size);
  double objects_off = same->object_miss - measured().object_miss;
  double bytes_off = same->byte_miss - measured().byte_miss;
  for (Expectation& each : all) {
    each.object_error = std::hypot(each.object_error, objects_off);
    each.byte_error = std::hypot(each.byte_error, bytes_off);
  }
  return all;
}

}  // namespace relay::edge::policy
