#include "edge/fleet/members.hpp"

#include <gtest/gtest.h>

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

Names names(const std::vector<Member>& members) {
  Names out;
  for (const Member& member : members) out.push_back(member.name);
  return out;
}

TEST(Members, those_before_this_edge_in_the_keys_order_are_asked) {
  Members members("b", three(), interval);
  EXPECT_EQ(names(members.peers_for(key_with_order("abc"))), Names{"a"});
  EXPECT_EQ(names(members.peers_for(key_with_order("acb"))), (Names{"a", "c"}));
  EXPECT_EQ(names(members.peers_for(key_with_order("bac"))), Names{});
}

TEST(Members, one_that_is_down_is_skipped_at_once) {
  Members members("b", three(), interval);
  EXPECT_TRUE(members.report_failure("a", start));
  EXPECT_FALSE(members.report_failure("a", start));  // others that were under way
  EXPECT_FALSE(members.report_failure("nobody", start));
  EXPECT_EQ(names(members.peers_for(key_with_order("abc"))), Names{});
  EXPECT_EQ(names(members.peers_for(key_with_order("acb"))), Names{"c"});
  members.mark_up("a");
  EXPECT_EQ(names(members.peers_for(key_with_order("abc"))), Names{"a"});
}

TEST(Members, no_more_than_two_are_asked_before_the_origin) {
  auto five = three();
  five.push_back({"d", "http://d:1", 1});
  five.push_back({"e", "http://e:1", 0.0001});
  Members members("e", five, interval);
  EXPECT_EQ(members.peers_for("/x").size(), 2u);
}

TEST(Members, alone_asks_nobody) {
  Members none("a", {}, interval);
  EXPECT_TRUE(none.alone());
  EXPECT_TRUE(none.peers_for("/x").empty());
  Members one("a", {{"a", "http://a:1", 1}}, interval);
  EXPECT_TRUE(one.alone());
  EXPECT_TRUE(one.peers_for("/x").empty());
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
  members.mark_up("a");
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
    members.mark_up("a");
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
  members.replace({{"b", "http://b:1", 1}, {"c", "http://c:2", 1}, {"d", "http://d:1", 1}});
  auto now = members.snapshot();
  ASSERT_EQ(now->ring->members().size(), 3u);
  EXPECT_FALSE(now->health[1].up);
  EXPECT_TRUE(now->health[2].up);
  EXPECT_EQ(now->ring->members()[1].url, "http://c:2");
}

TEST(Members, is_shared_by_threads) {
  Members members("b", three(), interval);
  std::string key = key_with_order("acb");
  std::atomic<bool> stop{false};
  auto flap = [&] {
    while (!stop) {
      members.report_failure("a", start);
      members.report_success("a");
    }
  };
  std::thread thread(flap);
  for (int i = 0; i < 20'000; ++i) {
    auto peers = members.peers_for(key);
    ASSERT_FALSE(peers.empty());
    ASSERT_EQ(peers.back().name, "c");
  }
  stop = true;
  thread.join();
}

}  // namespace
}  // namespace relay::edge::fleet
