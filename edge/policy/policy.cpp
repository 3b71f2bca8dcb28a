#include "edge/policy/policy.hpp"

#include <algorithm>

namespace relay::edge::policy {
namespace {

constexpr std::uint64_t usual_object_bytes = 256 * 1024;
constexpr double window_share_max = 0.5;

TunerSettings tuner_settings(const PolicySettings& settings) {
  TunerSettings tuner;
  tuner.goal = settings.goal;
  tuner.capacity_bytes = settings.capacity_bytes;
  tuner.window_is_stored = settings.window_bytes_max == 0;
  if (tuner.window_is_stored) {
    tuner.window_share_max = window_share_max;
    return tuner;
  }
  double capacity = static_cast<double>(std::max<std::uint64_t>(settings.capacity_bytes, 1));
  tuner.window_share_max =
      std::min(window_share_max, static_cast<double>(settings.window_bytes_max) / capacity);
  return tuner;
}

}  // namespace

std::size_t sketch_columns(std::uint64_t capacity_bytes) {
  return std::clamp<std::uint64_t>(8 * (capacity_bytes / usual_object_bytes), 1 << 18, 1 << 24);
}

Policy::Policy(const PolicySettings& settings)
    : settings_(settings),
      sketch_(sketch_columns(settings.capacity_bytes)),
      tuner_(sketch_, tuner_settings(settings)),
      tiers_(sketch_, settings.groups, tuner_.plan()) {
}

void Policy::note(const Use& use) {
  sketch_.add(use.hash, tiers_.size());
  if (tuner_.request(use)) tiers_.replan(tuner_.plan());
}

void Policy::prime(const Use& use) {
  sketch_.add(use.hash, tiers_.size());
  tuner_.prime(use);
}

std::uint64_t Policy::window_bytes() const {
  return static_cast<std::uint64_t>(tuner_.plan().window_share *
                                    static_cast<double>(settings_.capacity_bytes));
}

}  // namespace relay::edge::policy
