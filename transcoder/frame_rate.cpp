#include "transcoder/frame_rate.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <vector>

namespace relay::transcoder {

namespace {

constexpr double ns_per_second = 1e9;
constexpr double slowest_measured = 0.5;  // pictures further apart are stills: any rate will do
constexpr std::array<Fraction, 8> standard_rates = {
    {{24000, 1001}, {24, 1}, {25, 1}, {30000, 1001}, {30, 1}, {50, 1}, {60000, 1001}, {60, 1}}};

bool near(double a, double b, double part) {
  return std::abs(a - b) <= part * b;
}

std::vector<std::int64_t> gaps_of(std::span<const std::int64_t> times) {
  std::vector<std::int64_t> gaps;
  for (std::size_t i = 1; i < times.size(); ++i)
    if (times[i] > times[i - 1]) gaps.push_back(times[i] - times[i - 1]);
  return gaps;
}

struct Pace {
  double rate = 0;      // 0: unknown
  bool steady = false;  // nine of ten gaps are alike
};

// The rate of the gaps that are like the middle one: pauses and bursts do not count.
Pace measure(std::span<const std::int64_t> times) {
  std::vector<std::int64_t> gaps = gaps_of(times);
  if (gaps.empty()) return {};
  std::vector<std::int64_t> sorted = gaps;
  std::ranges::nth_element(sorted, sorted.begin() + static_cast<std::ptrdiff_t>(gaps.size() / 2));
  auto middle = static_cast<double>(sorted[gaps.size() / 2]);
  double sum = 0, alike = 0, close = 0;
  for (std::int64_t gap : gaps) {
    double difference = std::abs(static_cast<double>(gap) - middle);
    if (difference <= 0.35 * middle) sum += static_cast<double>(gap), alike += 1;
    if (difference <= 0.05 * middle + 1.1e6) close += 1;
  }
  return {ns_per_second * alike / sum, close >= 0.9 * static_cast<double>(gaps.size())};
}

const Fraction& nearest_standard(double rate) {
  return *std::ranges::min_element(standard_rates, {},
                                   [&](const Fraction& f) { return std::abs(f.value() - rate); });
}

Fraction reduced(std::int64_t numerator, std::int64_t denominator) {
  std::int64_t common = std::gcd(numerator, denominator);
  return {numerator / common, denominator / common};
}

Fraction as_fraction(double rate) {
  return reduced(static_cast<std::int64_t>(std::llround(rate * 1000)), 1000);
}

Fraction settle(Pace pace, Fraction declared) {
  if (declared.numerator > 0 && near(declared.value(), pace.rate, 0.002)) {
    const Fraction& standard = nearest_standard(declared.value());
    return near(standard.value(), declared.value(), 0.0004) ? standard : declared;
  }
  const Fraction& nearest = nearest_standard(pace.rate);
  if (near(pace.rate, nearest.value(), 0.02)) return nearest;
  if (pace.steady || pace.rate > 60) return as_fraction(pace.rate);
  for (const Fraction& standard : standard_rates)
    if (standard.value() >= pace.rate) return standard;
  return standard_rates.back();
}

}  // namespace

Fraction choose_frame_rate(std::span<const std::int64_t> times_ns, Fraction declared) {
  bool sane = declared.numerator > 0 && declared.denominator > 0 && declared.value() >= 0.1 &&
              declared.value() <= 1000 && declared.numerator < 1'000'000'000;
  if (!sane) declared = {};
  Pace pace = measure(times_ns);
  if (pace.rate == 0) pace = {sane ? declared.value() : 25, true};
  if (pace.rate < slowest_measured) pace = {frame_rate_min, true};
  Fraction rate = settle(pace, declared);
  std::int64_t parts = static_cast<std::int64_t>(std::ceil(rate.value() / frame_rate_max));
  if (parts > 1) rate = reduced(rate.numerator, rate.denominator * parts);
  if (rate.value() < frame_rate_min) {
    auto times = static_cast<std::int64_t>(std::ceil(frame_rate_min / rate.value()));
    rate = reduced(rate.numerator * times, rate.denominator);
  }
  const Fraction& standard = nearest_standard(rate.value());
  if (near(rate.value(), standard.value(), 0.0004)) return standard;
  return rate.numerator > 1'000'000 ? as_fraction(rate.value()) : rate;
}

bool is_steady(std::span<const std::int64_t> times_ns, Fraction rate, std::int64_t tolerance_ns) {
  if (times_ns.empty()) return false;
  for (std::size_t i = 0; i < times_ns.size(); ++i) {
    std::int64_t expected = time_of_frame(static_cast<std::int64_t>(i), rate);
    if (std::abs(times_ns[i] - times_ns[0] - expected) > tolerance_ns) return false;
  }
  return true;
}

std::int64_t frame_at(std::int64_t time_ns, Fraction rate) {
  __int128 scaled = static_cast<__int128>(time_ns) * rate.numerator;
  __int128 unit = static_cast<__int128>(1'000'000'000) * rate.denominator;
  __int128 shifted = 2 * scaled + unit;  // floor(x + 1/2)
  __int128 whole = shifted / (2 * unit);
  if (shifted < 0 && whole * 2 * unit != shifted) whole -= 1;
  return static_cast<std::int64_t>(whole);
}

std::int64_t time_of_frame(std::int64_t number, Fraction rate) {
  __int128 scaled = static_cast<__int128>(number) * 1'000'000'000 * rate.denominator;
  return static_cast<std::int64_t>((2 * scaled + rate.numerator) / (2 * rate.numerator));
}

std::int64_t timescale_for(Fraction rate) {
  constexpr std::int64_t least = 12'800;
  return rate.numerator * ((least + rate.numerator - 1) / rate.numerator);
}

}  // namespace relay::transcoder
