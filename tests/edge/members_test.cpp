#include "edge/fleet/members.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include <atomic>
#include <thread>

namespace relay::edge::fleet {
namespace {

using std::chrono::milliseconds;
using Names = std::vector<std::string>;

constexpr SteadyTime start{};
constexpr milliseconds interval{1000};

std::vector<Member> three() {
  return {{"a", "http://a:1", 1}, {"b", "http://b:1", 1}, {"c", "http://c:1", 1}};
}

/// A key whose owners are in exactly this order, as "abc".
std::string key_with_order(std::string_view order) {
  Ring ring(three());
  for (int i = 0;; ++i) {
    std::string key = "/k" + std::to_string(i), found;
    for (auto owner : ring.owners(ring_hash(key), 3)) found += ring.members()[owner].name;
    if (found == order) return key;
  }
}

template <class Some>
Names names(const std::vector<Some>& members) {
  Names out;
  for (const Member& member : members) out.push_back(member.name);
  return out;
}

TEST(Members, those_before_this_edge_in_the_keys_order_are_asked) {
  Members members("b", three(), interval);
  EXPECT_EQ(names(members.peers_for(key_with_order("abc"), start)), Names{"a"});
  EXPECT_EQ(names(members.peers_for(key_with_order("acb"), start)), (Names{"a", "c"}));
  EXPECT_EQ(names(members.peers_for(key_with_order("bac"), start)), Names{});
}

TEST(Members, one_that_is_down_is_skipped_at_once) {
  Members members("b", three(), interval);
  EXPECT_TRUE(members.report_failure("a", start));
  EXPECT_FALSE(members.report_failure("a", start));  // others that were under way
  EXPECT_FALSE(members.report_failure("nobody", start));
  EXPECT_EQ(names(members.peers_for(key_with_order("abc"), start)), Names{});
  EXPECT_EQ(names(members.peers_for(key_with_order("acb"), start)), Names{"c"});
  members.mark_up("a", start);
  EXPECT_EQ(names(members.peers_for(key_with_order("abc"), start)), Names{"a"});
}

TEST(Members, others_are_asked_for_a_copy_of_what_is_hot) {
  Members members("c", three(), interval);
  std::string hot = key_with_order("abc");
  bool copied = false;
  for (int i = 0; i < 100; ++i) {
    auto peers = members.peers_for(hot, start, Placement::Want::any_holder);
    ASSERT_EQ(peers.size(), 2u);
    EXPECT_EQ(peers[1].name == "a", peers[0].name == "b");
    copied = copied || peers[0].name == "b";
  }
  EXPECT_TRUE(copied);
  auto loads = members.loads();
  EXPECT_NEAR(loads[0], loads[1], 10);
  EXPECT_EQ(loads[0] + loads[1], 100);
  EXPECT_EQ(names(members.peers_for(hot, start)), (Names{"a", "b"}));  // to change it
}

TEST(Members, a_title_has_one_owner_when_spread_by_title) {
  Members members("b", three(), {interval, {}, milliseconds(5000), Spread::title}, start);
  auto peers = names(members.peers_for("/demo/final/index.m3u8", start));
  auto holders = names(members.holders_for("/demo/final/index.m3u8", start));
  for (int i = 0; i < 30; ++i) {
    std::string key = "/demo/final/v1/720p/" + std::to_string(i) + ".m4s";
    EXPECT_EQ(names(members.peers_for(key, start)), peers);
    EXPECT_EQ(names(members.holders_for(key, start)), holders);
  }
}

TEST(Members, no_more_than_two_are_asked_before_the_origin) {
  auto five = three();
  five.push_back({"d", "http://d:1", 1});
  five.push_back({"e", "http://e:1", 0.0001});
  Members members("e", five, interval);
  EXPECT_EQ(members.peers_for("/x", start).size(), 2u);
}

TEST(Members, alone_asks_nobody) {
  Members none("a", {}, interval);
  EXPECT_TRUE(none.alone());
  EXPECT_TRUE(none.peers_for("/x", start).empty());
  Members one("a", {{"a", "http://a:1", 1}}, interval);
  EXPECT_TRUE(one.alone());
  EXPECT_TRUE(one.peers_for("/x", start).empty());
  EXPECT_FALSE(Members("a", three(), interval).alone());
}

TEST(Members, one_that_is_down_is_probed_each_interval) {
  Members members("b", three(), interval);
  EXPECT_TRUE(members.take_due_probes(start).empty());
  members.report_failure("a", start);
  EXPECT_TRUE(members.take_due_probes(start + milliseconds(999)).empty());
  EXPECT_EQ(names(members.take_due_probes(start + milliseconds(1000))), Names{"a"});
  EXPECT_TRUE(members.take_due_probes(start + milliseconds(1999)).empty());
  EXPECT_EQ(names(members.take_due_probes(start + milliseconds(2000))), Names{"a"});
  members.mark_up("a", start + milliseconds(2000));
  members.report_success("a");
  EXPECT_TRUE(members.take_due_probes(start + milliseconds(9000)).empty());
}

TEST(Members, one_that_fails_right_after_its_probes_is_held_longer_each_time) {
  Members members("b", three(), interval);
  SteadyTime now = start;
  for (int intervals : {1, 2, 4, 8, 16, 32, 32}) {
    members.report_failure("a", now);
    EXPECT_TRUE(members.take_due_probes(now + intervals * interval - milliseconds(1)).empty());
    now += intervals * interval;
    EXPECT_EQ(members.take_due_probes(now).size(), 1u) << intervals;
    members.mark_up("a", now);
  }
  members.report_success("a");
  members.report_failure("a", now);
  EXPECT_EQ(members.take_due_probes(now + interval).size(), 1u);
}

TEST(Members, a_snapshot_does_not_change) {
  Members members("b", three(), interval);
  auto before = members.snapshot();
  members.report_failure("a", start);
  EXPECT_TRUE(before->health[0].up);
  EXPECT_FALSE(members.snapshot()->health[0].up);
  EXPECT_EQ(members.snapshot()->health[0].failures, 1u);
}

TEST(Members, a_new_configuration_keeps_what_is_known_of_those_that_stay) {
  Members members("b", three(), interval);
  members.report_failure("c", start);
  members.replace({{"b", "http://b:1", 1}, {"c", "http://c:2", 1}, {"d", "http://d:1", 1}}, start);
  auto now = members.snapshot();
  ASSERT_EQ(now->ring->members().size(), 3u);
  EXPECT_FALSE(now->health[1].up);
  EXPECT_TRUE(now->health[2].up);
  EXPECT_EQ(now->ring->members()[1].url, "http://c:2");
}

TEST(Members, what_is_under_way_to_one_that_goes_down_is_given_up) {
  Members members("b", three(), interval);
  auto line = members.peers_for(key_with_order("abc"), start).front().line;
  members.report_failure("c", start);
  EXPECT_FALSE(line->given_up);
  members.report_failure("a", start);
  EXPECT_TRUE(line->given_up);
  members.mark_up("a", start);
  EXPECT_FALSE(members.peers_for(key_with_order("abc"), start).front().line->given_up);
}

TEST(Members, one_that_owes_answers_is_probed_while_it_is_up) {
  Members members("b", three(), interval);
  auto line = members.peers_for(key_with_order("abc"), start).front().line;
  {
    UnderWay request(line);
    EXPECT_EQ(names(members.take_due_probes(start)), Names{"a"});
  }
  EXPECT_TRUE(members.take_due_probes(start).empty());
}

TEST(Members, one_that_is_back_gets_few_keys_at_first_and_then_all) {
  Members members("b", three(), {interval, milliseconds(8000)});
  members.report_failure("a", start);
  members.mark_up("a", start + interval);
  members.report_success("a");
  auto keys_at = [&](milliseconds later) {
    int given = 0;
    for (int i = 0; i < 3000; ++i) {
      auto peers = members.peers_for("/k" + std::to_string(i), start + interval + later);
      given += !peers.empty() && peers.front().name == "a";
    }
    return given;
  };
  int all = keys_at(milliseconds(8000));
  EXPECT_NEAR(keys_at(milliseconds(0)), 0.1 * all, 0.04 * all);
  EXPECT_NEAR(keys_at(milliseconds(4000)), 0.5 * all, 0.06 * all);
  EXPECT_GT(all, 800);
}

TEST(Members, one_that_is_back_is_asked_for_what_it_holds_until_it_gets_all) {
  Members members("b", three(), {interval, milliseconds(8000)});
  std::string key = key_with_order("abc");
  EXPECT_TRUE(members.holders_for(key, start).empty()) << "it is asked as the owner";
  members.report_failure("a", start);
  EXPECT_TRUE(members.holders_for(key, start).empty()) << "it is down";
  SteadyTime back = start + interval;
  members.mark_up("a", back);
  members.report_success("a");
  int held = 0;
  for (int i = 0; i < 300; ++i) {
    std::string each = "/k" + std::to_string(i);
    auto peers = members.peers_for(each, back), holders = members.holders_for(each, back);
    if (holders.empty()) continue;
    EXPECT_EQ(names(holders), Names{"a"});
    EXPECT_TRUE(std::ranges::find(peers, "a", &Peer::name) == peers.end());
    ++held;
  }
  EXPECT_NEAR(held, 0.9 * 150, 40);
  EXPECT_TRUE(members.holders_for(key, back + milliseconds(8000)).empty());
}

TEST(Members, one_that_leaves_gets_no_new_keys_and_gives_what_it_owes) {
  Members members("b", three(), interval);
  auto line = members.peers_for(key_with_order("abc"), start).front().line;
  EXPECT_TRUE(members.report_leaving("a", start));
  EXPECT_FALSE(members.report_leaving("a", start));
  EXPECT_FALSE(members.report_leaving("nobody", start));
  EXPECT_TRUE(members.peers_for(key_with_order("abc"), start).empty());
  EXPECT_FALSE(line->given_up);
  EXPECT_FALSE(members.report_failure("a", start)) << "that it closes its doors is no news";
  EXPECT_EQ(names(members.take_due_probes(start + interval)), Names{"a"});
  EXPECT_TRUE(members.mark_up("a", start + interval));
  EXPECT_EQ(members.snapshot()->health[0].failures, 0u);
}

TEST(Members, who_was_away_asks_those_that_stood_in) {
  Members members("b", three(), {interval, {}, milliseconds(5000)}, start);
  SteadyTime later = start + milliseconds(9000);
  std::string key = key_with_order("bac");
  EXPECT_TRUE(members.holders_for(key, later).empty());
  members.note_own_return(later);
  EXPECT_EQ(names(members.holders_for(key, later)), Names{"a"});
  EXPECT_TRUE(members.holders_for(key, later + milliseconds(5000)).empty());
  for (int i = 0; i < 9; ++i) members.note_own_return(later + i * milliseconds(1));
  EXPECT_EQ(members.snapshot()->before.size(), 1u);
}

TEST(Members, who_owns_a_key_after_a_death_asks_those_behind_for_the_handover) {
  milliseconds handover(5000);
  SteadyTime later = start + 2 * handover;  // than its own start, when it asks for all it owns
  std::string lost = key_with_order("abc");
  Members members("b", three(), {interval, {}, handover}, start);
  EXPECT_EQ(names(members.holders_for(lost, later)), Names{});
  members.report_failure("a", later);
  EXPECT_EQ(names(members.holders_for(lost, later)), Names{"c"});
  EXPECT_EQ(names(members.holders_for(key_with_order("bac"), later)), Names{}) << "always ours";
  EXPECT_EQ(names(members.holders_for(key_with_order("acb"), later)), Names{}) << "that is c's now";
  EXPECT_EQ(names(members.holders_for(lost, later + handover)), Names{});
  members.mark_up("a", later);
  EXPECT_EQ(names(members.holders_for(lost, later)), Names{}) << "it is back";
  members.report_leaving("a", later);
  EXPECT_EQ(names(members.holders_for(lost, later)), Names{"c"}) << "gone is gone";
  members.report_failure("c", later);
  EXPECT_EQ(names(members.holders_for(lost, later)), Names{});
}

TEST(Members, figures_are_kept_of_members_only) {
  Members members("b", three(), interval);
  members.note_told("a", {1, 10, 100, 1000}, start);
  members.note_told("a", {2, 20, 150, 1000}, start + milliseconds(5000));
  members.note_told("stranger", {1, 10, 100, 1000}, start);
  EXPECT_EQ(members.told("a")->figures.objects, 2u);
  EXPECT_DOUBLE_EQ(members.told("a")->requests_per_s, 10);
  EXPECT_FALSE(members.told("c").has_value());
  EXPECT_FALSE(members.told("stranger").has_value());
  members.replace({{"b", "http://b:1", 1}, {"c", "http://c:1", 1}}, start);
  members.note_told("c", {1, 10, 100, 1000}, start);
  EXPECT_FALSE(members.told("a").has_value());
}

TEST(Members, an_earlier_owner_is_known_for_the_handover) {
  Members members("b", three(), {interval, {}, milliseconds(5000)}, start);
  std::string key = key_with_order("bac");
  // It has just started: before, the next in order owned what it owns.
  EXPECT_EQ(names(members.holders_for(key, start)), Names{"a"});
  SteadyTime later = start + milliseconds(5000);
  EXPECT_TRUE(members.holders_for(key, later).empty());
  members.replace({{"b", "http://b:1", 1}, {"c", "http://c:1", 1}}, later);
  std::string lost = key_with_order("abc");
  EXPECT_TRUE(members.peers_for(lost, later).empty());
  EXPECT_EQ(names(members.holders_for(lost, later)), Names{"a"});
  members.report_failure("a", later);
  EXPECT_TRUE(members.holders_for(lost, later).empty());
  EXPECT_EQ(members.take_due_probes(later + interval).size(), 1u);
  members.mark_up("a", later + interval);
  EXPECT_TRUE(members.holders_for(lost, later + milliseconds(5000)).empty());
}

TEST(Members, one_that_drains_owns_nothing_and_is_asked_for_what_it_holds) {
  auto fleet = three();
  fleet[0].drain = true;
  Members members("b", fleet, {interval, {}, milliseconds(5000)}, start);
  SteadyTime later = start + std::chrono::hours(1);
  for (std::string_view order : {"abc", "acb", "bac", "cab"}) {
    for (const Peer& peer : members.peers_for(key_with_order(order), later)) {
      EXPECT_NE(peer.name, "a");
    }
  }
  EXPECT_EQ(names(members.holders_for(key_with_order("abc"), later)), Names{"a"});
  EXPECT_TRUE(members.holders_for(key_with_order("bac"), later).empty());
  EXPECT_EQ(members.snapshot()->listed, 3u) << "it is still to be told of purges";
  Members draining("a", fleet, {interval, {}, milliseconds(5000)}, start);
  EXPECT_EQ(names(draining.peers_for(key_with_order("abc"), later)), (Names{"b", "c"}));
}

TEST(Members, is_shared_by_threads) {
  Members members("b", three(), interval);
  std::string key = key_with_order("acb");
  std::atomic<bool> stop{false};
  auto flap = [&] {
    while (!stop) {
      members.report_failure("a", start);
      members.mark_up("a", start);
      members.report_success("a");
    }
  };
  std::thread thread(flap);
  for (int i = 0; i < 20'000; ++i) {
    auto peers = members.peers_for(key, start);
    ASSERT_FALSE(peers.empty());
    ASSERT_EQ(peers.back().name, "c");
  }
  stop = true;
  thread.join();
}

TEST(Members, one_that_was_alone_asks_those_it_comes_to_for_what_they_hold) {
  Members::Rules rules(interval, milliseconds(0), milliseconds(60'000));
  Members members("c", {{"c", "http://c:1", 1}}, rules, start);
  EXPECT_EQ(names(members.holders_for(key_with_order("cab"), start)), Names{});
  members.replace(three(), start);
  EXPECT_EQ(names(members.holders_for(key_with_order("cab"), start)), Names{"a"});
  EXPECT_EQ(names(members.holders_for(key_with_order("cba"), start)), Names{"b"});
}

TEST(Members, other_rules_hold_from_the_next_question_on) {
  Members members("c", three(), interval);
  EXPECT_EQ(names(members.holders_for(key_with_order("cab"), start)), Names{});
  members.set_rules({milliseconds(10), milliseconds(0), milliseconds(60'000)});
  members.note_own_return(start);
  EXPECT_EQ(names(members.holders_for(key_with_order("cab"), start)), Names{"a"});
  members.report_failure("a", start);
  EXPECT_EQ(names(members.take_due_probes(start + milliseconds(10))), Names{"a"});
}

TEST(Members, whom_keys_belong_to_does_not_change_with_the_rules) {
  Members members("c", three(), interval);
  members.set_rules({interval, {}, {}, Spread::title});
  EXPECT_EQ(members.snapshot()->rules.spread, Spread::object);
}

TEST(Members, one_that_has_drained_and_gone_is_forgotten_after_the_handover) {
  milliseconds handover{60'000};
  Members members("c", {{"c", "http://c:1", 1}}, {interval, {}, handover}, start);
  auto drained = three();
  drained[0].drain = true;
  for (int i = 0; i < 4; ++i) members.replace(drained, start + i * handover);
  std::string key = key_with_order("acb");
  EXPECT_EQ(names(members.holders_for(key, start + 10 * handover)), Names{"a"});
  members.replace({drained[1], drained[2]}, start + 10 * handover);
  EXPECT_EQ(names(members.holders_for(key, start + 10 * handover)), Names{"a"});
  EXPECT_EQ(names(members.holders_for(key, start + 11 * handover)), Names{});
}

}  // namespace
}  // namespace relay::edge::fleet
