#include "edge/fleet/health.hpp"

#include <gtest/gtest.h>

namespace relay::edge::fleet {
namespace {

using std::chrono::milliseconds;
constexpr SteadyTime start{milliseconds{1'000'000}};
constexpr HealthRules rules{milliseconds{1000}, milliseconds{10'000}};

TEST(Health, the_first_failure_opens_for_everybody) {
  Health health;
  EXPECT_EQ(share_of(health, rules, start), 1);
  EXPECT_TRUE(note_failure(health, rules, start));
  EXPECT_EQ(health.breaker, Breaker::open);
  EXPECT_FALSE(health.up);
  EXPECT_EQ(share_of(health, rules, start + milliseconds(99'999)), 0);
  EXPECT_FALSE(note_failure(health, rules, start)) << "of those that were under way";
  EXPECT_EQ(health.failures, 1u);
}

TEST(Health, an_answer_from_before_does_not_close_it) {
  Health health;
  note_failure(health, rules, start);
  note_answer(health);
  EXPECT_EQ(health.breaker, Breaker::open);
  EXPECT_EQ(health.failures, 1u);
}

TEST(Health, a_probe_half_opens_and_an_answer_closes) {
  Health health;
  EXPECT_FALSE(note_probe_answer(health, rules, start)) << "it was not away";
  note_failure(health, rules, start);
  EXPECT_TRUE(note_probe_answer(health, rules, start));
  EXPECT_EQ(health.breaker, Breaker::half_open);
  EXPECT_TRUE(health.up);
  note_answer(health);
  EXPECT_EQ(health.breaker, Breaker::closed);
  EXPECT_EQ(health.failures, 0u);
}

TEST(Health, half_open_stays_at_the_first_share_until_it_answers) {
  Health health;
  note_failure(health, rules, start);
  note_probe_answer(health, rules, start);
  double first = share_of(health, rules, start);
  EXPECT_GT(first, 0);
  EXPECT_LT(first, 0.2);
  EXPECT_EQ(share_of(health, rules, start + milliseconds(60'000)), first);
  note_answer(health);
  EXPECT_EQ(share_of(health, rules, start + milliseconds(60'000)), 1);
}

TEST(Health, one_that_nobody_asks_closes_by_its_probes) {
  Health health;
  note_failure(health, rules, start);
  note_probe_answer(health, rules, start);
  EXPECT_TRUE(take_probe(health, rules, start + milliseconds(1000)));
  note_probe_answer(health, rules, start + milliseconds(9999));
  EXPECT_EQ(health.breaker, Breaker::half_open);
  EXPECT_FALSE(note_probe_answer(health, rules, start + milliseconds(10'000)));
  EXPECT_EQ(health.breaker, Breaker::closed);
  EXPECT_FALSE(take_probe(health, rules, start + milliseconds(99'000)));
}

TEST(Health, the_share_ramps_up_and_keys_only_come) {
  Health health;
  note_failure(health, rules, start);
  note_probe_answer(health, rules, start);
  note_answer(health);
  EXPECT_DOUBLE_EQ(share_of(health, rules, start + milliseconds(5000)), 0.5);
  EXPECT_EQ(share_of(health, rules, start + milliseconds(10'000)), 1);
  for (std::uint64_t key = 1; key < 2000; ++key) {
    bool had = false;
    for (int ms = 0; ms <= 10'000; ms += 1000) {
      bool has = takes(health, rules, key * 0x123456789abcdefu, start + milliseconds(ms));
      EXPECT_TRUE(has || !had);
      had = has;
    }
    EXPECT_TRUE(had);
  }
}

TEST(Health, returns_that_fail_are_held_down_longer_each_time) {
  Health health;
  SteadyTime now = start;
  for (int intervals : {1, 2, 4, 8, 16, 32, 32}) {
    note_failure(health, rules, now);
    now += intervals * rules.probe_interval;
    EXPECT_FALSE(take_probe(health, rules, now - milliseconds(1)));
    EXPECT_TRUE(take_probe(health, rules, now));
    EXPECT_FALSE(take_probe(health, rules, now + milliseconds(999)));
    EXPECT_TRUE(note_probe_answer(health, rules, now));
  }
}

TEST(Health, without_a_slow_start_it_is_back_at_once) {
  HealthRules at_once{milliseconds{1000}, milliseconds{0}};
  Health health;
  note_failure(health, at_once, start);
  note_probe_answer(health, at_once, start);
  EXPECT_EQ(share_of(health, at_once, start), 1);
}

}  // namespace
}  // namespace relay::edge::fleet
