#include "edge/purge_receipts.hpp"

#include <gtest/gtest.h>

#include "edge/fleet/trust.hpp"

namespace relay::edge {
namespace {

using namespace std::chrono_literals;
using Lent = PurgeReceipts::Lent;

constexpr SteadyTime noon{12h};

std::string states(const PurgeReceipts& receipts, SteadyTime now) {
  std::string all;
  for (const Receipt& each : receipts.list(now)) {
    if (!all.empty()) all += ' ';
    all += each.member + "=" + std::string(name(each.state));
  }
  return all;
}

TEST(PurgeReceipts, all_have_applied_it) {
  PurgeReceipts receipts({"a", "b"}, 7, 5s, noon);
  receipts.note_applied("a", Lent{}, noon + 1ms);
  receipts.note_applied("b", Lent{}, noon + 3ms);
  receipts.note_applied("b", Lent{}, noon + 9ms);
  EXPECT_EQ(receipts.settled_at(), SteadyTime::min());
  EXPECT_EQ(states(receipts, noon + 9ms), "a=applied b=applied");
  EXPECT_EQ(receipts.list(noon + 9ms)[1].after, 3ms) << "the first word counts";
}

TEST(PurgeReceipts, one_is_silent_and_fenced_when_what_was_lent_to_it_has_run_out) {
  PurgeReceipts receipts({"a", "b", "c"}, 7, 5s, noon);
  receipts.note_applied("a", Lent{{"c", 3000ms}}, noon);
  EXPECT_EQ(receipts.settled_at(), std::nullopt) << "b and c are a majority";
  EXPECT_EQ(states(receipts, noon + 1h), "a=applied b=pending c=pending");
  receipts.note_applied("b", Lent{{"a", 9ms}, {"c", 2000ms}}, noon + 100ms);
  SteadyTime fenced = noon + 3s + fleet::flight_distrust;
  EXPECT_EQ(receipts.settled_at(), fenced);
  EXPECT_EQ(states(receipts, fenced - 1ms), "a=applied b=applied c=pending");
  EXPECT_EQ(states(receipts, fenced), "a=applied b=applied c=fenced");
  EXPECT_EQ(receipts.list(fenced)[2].after, 3s + fleet::flight_distrust);
}

TEST(PurgeReceipts, who_has_long_been_silent_may_yet_give_what_it_asked_for_before_the_purge) {
  PurgeReceipts receipts({"a", "b", "c"}, 7, 5s, noon);
  receipts.note_applied("a", Lent{{"b", 3000ms}}, noon);
  receipts.note_applied("b", Lent{{"a", 3000ms}}, noon + 1ms);
  EXPECT_EQ(receipts.settled_at(), noon + fleet::flight_distrust);
  EXPECT_EQ(states(receipts, noon + 1ms), "a=applied b=applied c=pending");
  EXPECT_EQ(states(receipts, noon + fleet::flight_distrust), "a=applied b=applied c=fenced");
}

TEST(PurgeReceipts, half_of_the_members_are_too_few_for_one_more_may_join_the_others) {
  PurgeReceipts receipts({"a", "b"}, 7, 5s, noon);
  receipts.note_applied("a", Lent{}, noon);
  EXPECT_EQ(receipts.settled_at(), std::nullopt);
  EXPECT_EQ(states(receipts, noon + 1h), "a=applied b=pending");
  receipts.note_applied("b", Lent{}, noon + 1s);
  EXPECT_EQ(receipts.settled_at(), SteadyTime::min());
}

TEST(PurgeReceipts, who_is_known_to_another_member_only_counts_until_it_is_fenced) {
  PurgeReceipts receipts({"a", "b"}, 7, 5s, noon);
  receipts.note_applied("a", Lent{{"b", 3000ms}}, noon);
  receipts.note_applied("b", Lent{{"a", 3000ms}, {"x", 2000ms}}, noon + 1s);
  SteadyTime fenced = noon + 3s + fleet::flight_distrust;
  EXPECT_EQ(receipts.settled_at(), fenced);
  EXPECT_EQ(states(receipts, fenced - 1ms), "a=applied b=applied x=pending");
  EXPECT_EQ(states(receipts, fenced), "a=applied b=applied x=fenced");
}

TEST(PurgeReceipts, who_is_known_to_another_member_only_may_apply_it_too) {
  PurgeReceipts receipts({"a", "b"}, 7, 5s, noon);
  receipts.note_applied("a", Lent{{"x", 2000ms}}, noon);
  receipts.note_applied("x", Lent{}, noon);
  EXPECT_EQ(receipts.settled_at(), std::nullopt) << "but it is no part of the majority";
  receipts.note_applied("b", Lent{}, noon);
  EXPECT_EQ(receipts.settled_at(), SteadyTime::min());
}

TEST(PurgeReceipts, with_a_bus_half_of_the_members_will_do_and_who_is_one_the_bus_says) {
  PurgeReceipts receipts({"a", "b"}, 7, 5s, noon);
  receipts.await_stream();
  receipts.note_applied("a", Lent{{"x", 3000ms}}, noon);
  receipts.note_streamed({"a", "b"}, {{"b", false, noon - 1min}}, noon);
  EXPECT_EQ(receipts.settled_at(), noon + fleet::flight_distrust);
  EXPECT_EQ(states(receipts, noon), "a=applied b=pending");
}

TEST(PurgeReceipts, without_leases_nobody_is_fenced) {
  PurgeReceipts receipts({"a", "b", "c"}, 7, 0s, noon);
  receipts.note_applied("a", Lent{}, noon);
  receipts.note_applied("b", Lent{}, noon);
  EXPECT_EQ(receipts.settled_at(), std::nullopt);
  EXPECT_EQ(states(receipts, noon + 1h), "a=applied b=applied c=pending");
}

using Standings = std::vector<bus::Standing>;

TEST(PurgeReceipts, with_a_bus_nothing_is_settled_before_it_is_kept_there) {
  PurgeReceipts receipts({"a", "b"}, 7, 5s, noon);
  receipts.await_stream();
  receipts.note_applied("a", Lent{}, noon);
  receipts.note_applied("b", Lent{}, noon);
  EXPECT_EQ(receipts.settled_at(), std::nullopt);
  EXPECT_FALSE(receipts.streamed());
  EXPECT_TRUE(receipts.all_applied());
  receipts.note_streamed({"a", "b"}, {}, noon + 1s);
  EXPECT_TRUE(receipts.streamed());
  EXPECT_EQ(receipts.settled_at(), SteadyTime::min());
}

TEST(PurgeReceipts, with_a_bus_nobody_is_fenced_while_the_stream_may_say_that_there_is_nothing) {
  PurgeReceipts receipts({"a", "b", "c"}, 7, 5s, noon);
  receipts.await_stream();
  receipts.note_applied("a", Lent{}, noon);
  receipts.note_applied("b", Lent{}, noon);
  EXPECT_EQ(states(receipts, noon + 1h), "a=applied b=applied c=pending");
  receipts.note_streamed({"b", "c"}, {{"c", false, noon + 2s}}, noon + 1s);
  SteadyTime fenced = noon + 1s + 5s + fleet::flight_distrust;
  EXPECT_EQ(receipts.settled_at(), fenced) << "c may have asked the bus just before";
  EXPECT_EQ(states(receipts, fenced), "a=applied b=applied c=fenced");
}

TEST(PurgeReceipts, with_a_bus_one_that_was_lost_long_ago_may_yet_give_what_it_asked_for_before) {
  PurgeReceipts receipts({"a", "b", "c"}, 7, 5s, noon);
  receipts.await_stream();
  receipts.note_applied("a", Lent{}, noon);
  receipts.note_applied("b", Lent{}, noon);
  receipts.note_streamed({"b", "c"}, {{"c", false, noon - 1min}}, noon);
  EXPECT_EQ(receipts.settled_at(), noon + fleet::flight_distrust);
}

TEST(PurgeReceipts, with_a_bus_who_may_have_another_majority_is_not_fenced) {
  PurgeReceipts receipts({"a", "b", "c"}, 7, 5s, noon);
  receipts.await_stream();
  receipts.note_applied("a", Lent{}, noon);
  receipts.note_applied("b", Lent{}, noon);
  receipts.note_streamed({"b", "c"}, {{"c", true, noon - 1min}}, noon);
  EXPECT_EQ(receipts.settled_at(), std::nullopt);
  receipts.note_applied("c", Lent{}, noon + 1s);
  EXPECT_EQ(receipts.settled_at(), SteadyTime::min());
}

TEST(PurgeReceipts, with_a_bus_who_came_meanwhile_counts) {
  PurgeReceipts receipts({"a"}, 7, 5s, noon);
  receipts.await_stream();
  receipts.note_applied("a", Lent{}, noon);
  receipts.note_streamed({"b"}, {{"b", true, noon + 10s}}, noon);
  EXPECT_EQ(states(receipts, noon), "a=applied b=pending");
  EXPECT_FALSE(receipts.all_applied());
  EXPECT_EQ(receipts.settled_at(), std::nullopt);
}

}  // namespace
}  // namespace relay::edge
