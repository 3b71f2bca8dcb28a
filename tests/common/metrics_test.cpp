#include "common/base/metrics.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace relay {
namespace {

TEST(Metrics, WritesThePrometheusTextFormat) {
  Metrics metrics;
  Counter& hits = metrics.counter("relay_requests_total", "requests answered", "outcome=\"hit\"");
  Counter& misses = metrics.counter("relay_requests_total", "ignored", "outcome=\"miss\"");
  Gauge& open = metrics.gauge("relay_connections", "open\\ now\nreally");
  hits.add(3);
  misses.add();
  open.set(5);
  open.add(-7);
  EXPECT_EQ(metrics.exposition(),
            "# HELP relay_requests_total requests answered\n"
            "# TYPE relay_requests_total counter\n"
            "relay_requests_total{outcome=\"hit\"} 3\n"
            "relay_requests_total{outcome=\"miss\"} 1\n"
            "# HELP relay_connections open\\\\ now\\nreally\n"
            "# TYPE relay_connections gauge\n"
            "relay_connections -2\n");
}

TEST(Metrics, TheSameNameAndLabelsAreTheSameMetric) {
  Metrics metrics;
  Counter& first = metrics.counter("c", "help", "a=\"1\"");
  for (int i = 0; i < 100; ++i) metrics.counter("c", "help", "n=\"" + std::to_string(i) + "\"");
  EXPECT_EQ(&metrics.counter("c", "help", "a=\"1\""), &first);
}

TEST(Metrics, HistogramBucketsAreCumulative) {
  Metrics metrics;
  Histogram& wait = metrics.histogram("relay_wait_seconds", "time waited", "kind=\"x\"");
  wait.observe(0.0005);  // a bound belongs to its bucket
  wait.observe(0.3);
  wait.observe(1000);
  std::string text = metrics.exposition();
  for (std::string_view line : {"# TYPE relay_wait_seconds histogram\n",
                                "relay_wait_seconds_bucket{kind=\"x\",le=\"0.0005\"} 1\n",
                                "relay_wait_seconds_bucket{kind=\"x\",le=\"0.25\"} 1\n",
                                "relay_wait_seconds_bucket{kind=\"x\",le=\"0.5\"} 2\n",
                                "relay_wait_seconds_bucket{kind=\"x\",le=\"60\"} 2\n",
                                "relay_wait_seconds_bucket{kind=\"x\",le=\"+Inf\"} 3\n",
                                "relay_wait_seconds_sum{kind=\"x\"} 1000.3005\n",
                                "relay_wait_seconds_count{kind=\"x\"} 3\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  }
}

TEST(Metrics, StrangeObservationsCountAsNothingOrMuch) {
  Histogram histogram;
  histogram.observe(-1);
  histogram.observe(std::nan(""));
  EXPECT_EQ(histogram.bucket(0), 2u);
  EXPECT_EQ(histogram.sum_s(), 0);
  histogram.observe(std::numeric_limits<double>::infinity());
  EXPECT_EQ(histogram.count(), 3u);
}

}  // namespace
}  // namespace relay
