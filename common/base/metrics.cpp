#include "common/base/metrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <deque>
#include <iterator>
#include <mutex>
#include <variant>

#include "common/base/check.hpp"

namespace relay {
namespace {

constexpr std::array<double, Histogram::bucket_count> bounds = {
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};

/// One line's worth: a metric under one set of labels.
struct Series {
  template <class Metric>
  Series(std::string_view labels, std::in_place_type_t<Metric> type)
      : labels(labels), metric(type) {}
  std::string labels;
  std::variant<Counter, Gauge, Histogram> metric;
};

struct Family {
  std::string name, help;
  std::deque<Series> series;  // a deque, because references must stay valid
};

std::string_view type_of(const Family& family) {
  static constexpr std::array<std::string_view, 3> words = {"counter", "gauge", "histogram"};
  return words[family.series.front().metric.index()];
}

std::string escaped_help(std::string_view help) {
  std::string text;
  for (char c : help) {
    if (c == '\\') text += "\\\\";
    if (c == '\n') text += "\\n";
    if (c != '\\' && c != '\n') text += c;
  }
  return text;
}

std::string braces(std::string_view labels, std::string_view more = {}) {
  if (labels.empty() && more.empty()) return {};
  std::string_view comma = labels.empty() || more.empty() ? "" : ",";
  return fmt::format("{{{}{}{}}}", labels, comma, more);
}

void append_histogram(std::string& text, std::string_view name, std::string_view labels,
                      const Histogram& histogram) {
  auto out = std::back_inserter(text);
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    below += histogram.bucket(i);
    std::string bound = fmt::format("le=\"{}\"", bounds[i]);
    fmt::format_to(out, "{}_bucket{} {}\n", name, braces(labels, bound), below);
  }
  // Updates run on while we read: the total is never shown below a bucket.
  std::uint64_t total = std::max(below, histogram.count());
  fmt::format_to(out, "{}_bucket{} {}\n", name, braces(labels, "le=\"+Inf\""), total);
  fmt::format_to(out, "{}_sum{} {}\n", name, braces(labels), histogram.sum_s());
  fmt::format_to(out, "{}_count{} {}\n", name, braces(labels), total);
}

void append_series(std::string& text, std::string_view name, const Series& series) {
  if (const auto* histogram = std::get_if<Histogram>(&series.metric)) {
    append_histogram(text, name, series.labels, *histogram);
    return;
  }
  auto out = std::back_inserter(text);
  fmt::format_to(out, "{}{} ", name, braces(series.labels));
  if (const auto* counter = std::get_if<Counter>(&series.metric)) {
    fmt::format_to(out, "{}\n", counter->value());
  } else {
    fmt::format_to(out, "{}\n", std::get<Gauge>(series.metric).value());
  }
}

}  // namespace

std::span<const double, Histogram::bucket_count> Histogram::bounds_s() {
  return bounds;
}

void Histogram::observe(double seconds) {
  seconds = seconds > 0 ? seconds : 0;  // also what is not a number
  auto at = std::lower_bound(bounds.begin(), bounds.end(), seconds);
  if (at != bounds.end()) {
    buckets_[at - bounds.begin()].fetch_add(1, std::memory_order_relaxed);
  }
  count_.fetch_add(1, std::memory_order_relaxed);
  constexpr double most_s = 1e9;
  sum_us_.fetch_add(static_cast<std::uint64_t>(std::min(seconds, most_s) * 1e6),
                    std::memory_order_relaxed);
}

struct Metrics::Impl {
  /// The same name and labels give the same metric; one name has one type.
  template <class Metric>
  Metric& add(std::string_view name, std::string_view help, std::string_view labels) {
    std::lock_guard guard(lock);
    Family& family = family_of(name, help);
    auto& all = family.series;
    auto known = std::ranges::find(all, labels, &Series::labels);
    if (known == all.end()) {
      RELAY_CHECK(all.empty() || std::holds_alternative<Metric>(all.front().metric));
      all.emplace_back(labels, std::in_place_type<Metric>);
      known = std::prev(all.end());
    }
    Metric* metric = std::get_if<Metric>(&known->metric);
    RELAY_CHECK(metric);
    return *metric;
  }

  Family& family_of(std::string_view name, std::string_view help) {
    auto known = std::ranges::find(families, name, &Family::name);
    if (known != families.end()) return *known;
    return families.emplace_back(Family{std::string(name), std::string(help), {}});
  }

  mutable std::mutex lock;  // guards the table, not the values
  std::deque<Family> families;
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {
}
Metrics::~Metrics() = default;

Counter& Metrics::counter(std::string_view name, std::string_view help, std::string_view labels) {
  return impl_->add<Counter>(name, help, labels);
}

Gauge& Metrics::gauge(std::string_view name, std::string_view help, std::string_view labels) {
  return impl_->add<Gauge>(name, help, labels);
}

Histogram& Metrics::histogram(std::string_view name, std::string_view help,
                              std::string_view labels) {
  return impl_->add<Histogram>(name, help, labels);
}

std::string Metrics::exposition() const {
  std::lock_guard guard(impl_->lock);
  std::string text;
  for (const Family& family : impl_->families) {
    fmt::format_to(std::back_inserter(text), "# HELP {} {}\n# TYPE {} {}\n", family.name,
                   escaped_help(family.help), family.name, type_of(family));
    for (const Series& series : family.series) append_series(text, family.name, series);
  }
  return text;
}

}  // namespace relay
