#include "bench/replay/estimate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

namespace relay::bench {
namespace {

using edge::policy::Expectation;
using edge::policy::Tuner;

constexpr double sizes[] = {0.5, 1, 2, 4};

Setup times(Setup setup, double size) {
  setup.capacity_bytes =
      static_cast<std::uint64_t>(size * static_cast<double>(setup.capacity_bytes));
  return setup;
}

std::string sum_up(const char* what, const std::vector<Estimate>& estimates,
                   double (Estimate::*off)() const, double Expectation::* error) {
  double sum = 0, worst = 0, once = 0, twice = 0;
  for (const Estimate& each : estimates) {
    double distance = std::abs((each.*off)());
    sum += distance;
    worst = std::max(worst, distance);
    once += distance <= each.expected.*error;
    twice += distance <= 2 * each.expected.*error;
  }
  double count = std::max(1.0, static_cast<double>(estimates.size()));
  return fmt::format(
      "{} miss: off by {:.4f} on average, {:.4f} at worst; {:.0f} % within the error, {:.0f} % "
      "within twice\n",
      what, sum / count, worst, 100 * once / count, 100 * twice / count);
}

}  // namespace

std::vector<Estimate> estimate(const Trace& trace, const Setup& setup) {
  Ours ours(setup);
  std::vector<std::unique_ptr<Ours>> real;
  std::vector<Estimate> all(std::size(sizes));
  for (double size : sizes) real.push_back(std::make_unique<Ours>(times(setup, size)));
  std::uint64_t epochs = 0;
  for (const Request& request : trace.requests) {
    ours.request(request);
    for (std::size_t i = 0; i < real.size(); ++i) {
      all[i].real.add(request.bytes, real[i]->request(request));
    }
    if (ours.policy().tuner().epochs() == epochs) continue;
    epochs = ours.policy().tuner().epochs();
    for (Estimate& each : all) each.real.fade(Tuner::kept);
  }
  auto expected = ours.policy().tuner().expectations();
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i].expected = expected[i];
    all[i].sampled_keys = ours.policy().tuner().sampled_keys();
  }
  return all;
}

std::string text_of(const Estimate& estimate) {
  const Expectation& e = estimate.expected;
  return fmt::format(
      "{:>4}x {:.4f} +-{:.4f} {:.4f} {:+.4f}   {:.4f} +-{:.4f} {:.4f} {:+.4f}   {} keys", e.size,
      e.object_miss, e.object_error, estimate.real.object_miss(), estimate.object_off(),
      e.byte_miss, e.byte_error, estimate.real.byte_miss(), estimate.byte_off(),
      estimate.sampled_keys);
}

std::string sum_up(const std::vector<Estimate>& estimates) {
  return sum_up("object", estimates, &Estimate::object_off, &Expectation::object_error) +
         sum_up("byte", estimates, &Estimate::byte_off, &Expectation::byte_error);
}

}  // namespace relay::bench
