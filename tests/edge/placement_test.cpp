#include "edge/fleet/placement.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <string>

namespace relay::edge::fleet {
namespace {

using Want = Placement::Want;

constexpr SteadyTime start{std::chrono::seconds(1)};

std::vector<Member> fleet_of(std::size_t count) {
  std::vector<Member> members;
  for (std::size_t i = 0; i < count; ++i) {
    std::string name(1, static_cast<char>('a' + i));
    members.push_back({name, "http://" + name + ":1", 1.0, ""});
  }
  return members;
}

/// What one edge of a fleet asks; all are up unless told otherwise.
struct Asking {
  explicit Asking(std::string self, std::vector<Member> members, Spread spread = Spread::object)
      : ring(std::make_shared<const Ring>(std::move(members))),
        up(ring->members().size(), true),
        placement(std::move(self), spread) {}

  std::vector<std::size_t> ask(std::string_view key, Want want = Want::any_holder) {
    return placement.candidates(ring, up, key, want, 2, now);
  }
  const std::string& name(std::size_t candidate) const { return ring->members()[candidate].name; }
  /// Names of those to ask, as "ab".
  std::string names(std::string_view key, Want want = Want::any_holder) {
    std::string text;
    for (std::size_t each : ask(key, want)) text += name(each);
    return text;
  }
  /// The key's whole order, as "cab".
  std::string order(std::string_view key) const {
    std::string text;
    for (std::size_t each : ring->owners(ring_hash(key), 99)) text += ring->members()[each].name;
    return text;
  }
  /// A key whose order begins like this.
  std::string key_with(std::string_view order_begins, int from = 0) const {
    for (int i = from;; ++i) {
      std::string key = "/demo/title/" + std::to_string(i);
      if (order(key).starts_with(order_begins)) return key;
    }
  }
  void mark(std::string_view who, bool is_up) {
    auto members = ring->members();
    auto at = std::ranges::find(members, who, &Member::name) - members.begin();
    up[static_cast<std::size_t>(at)] = is_up;
  }

  std::shared_ptr<const Ring> ring;
  std::vector<bool> up;
  Placement placement;
  SteadyTime now = start;
};

TEST(Placement, one_order_gives_the_owner_and_who_stands_in) {
  Asking asking("d", fleet_of(4));
  EXPECT_EQ(asking.names(asking.key_with("abd")), "ab");
  EXPECT_EQ(asking.names(asking.key_with("adb")), "a");  // never one behind this edge
  EXPECT_EQ(asking.names(asking.key_with("dab")), "");   // its own
  asking.mark("a", false);
  EXPECT_EQ(asking.names(asking.key_with("abd")), "b");
  EXPECT_EQ(asking.names(asking.key_with("adb")), "");
}

TEST(Placement, an_edge_that_is_no_member_asks_the_owner) {
  Asking asking("elsewhere", fleet_of(3));
  EXPECT_EQ(asking.names(asking.key_with("cab")), "ca");
  EXPECT_EQ(Asking("alone", {}).names("/x"), "");
}

TEST(Placement, a_key_that_is_hot_has_more_owners) {
  EXPECT_EQ(owners_wanted(0, 50), 1u);
  EXPECT_EQ(owners_wanted(0.1 / 50, 50), 1u);    // a tenth of one member's part
  EXPECT_EQ(owners_wanted(0.125 / 50, 50), 2u);  // 1 + ceil(4 × 0.125)
  EXPECT_EQ(owners_wanted(1.0 / 50, 50), 5u);
  EXPECT_EQ(owners_wanted(1, 3), 3u);
  EXPECT_EQ(owners_wanted(1, 1), 1u);
}

TEST(Placement, the_least_loaded_owner_of_a_hot_key_is_asked) {
  Asking asking("f", fleet_of(6));
  std::string hot = asking.key_with("abcdef");
  std::map<std::string, int> asked;
  for (int i = 0; i < 600; ++i) {
    auto list = asking.ask(hot);
    ++asked[asking.name(list[0])];
    // Behind all others than the owner there is the owner.
    if (asking.name(list[0]) != "a") EXPECT_EQ(asking.name(list[1]), "a");
  }
  ASSERT_EQ(asked.size(), 5u);
  for (auto& [name, count] : asked) EXPECT_NEAR(count, 120, 12) << name;
}

TEST(Placement, few_requests_make_no_key_hot) {
  Asking asking("f", fleet_of(6));
  std::string key = asking.key_with("abcdef");
  for (std::uint32_t i = 1; i < Placement::telling_count; ++i) EXPECT_EQ(asking.names(key), "ab");
}

TEST(Placement, what_was_hot_cools_down) {
  Asking asking("f", fleet_of(6));
  std::string key = asking.key_with("abcdef");
  for (int i = 0; i < 200; ++i) asking.ask(key);
  EXPECT_GT(asking.placement.loads()[1], 10);
  asking.now += 12 * Placement::half_life;
  EXPECT_EQ(asking.names(key), "ab");
  EXPECT_LT(asking.placement.loads()[1], 1);
}

TEST(Placement, a_cold_key_stays_with_its_owner_while_loads_are_even) {
  Asking asking("f", fleet_of(6));
  for (int i = 0; i < 5000; ++i) {
    std::string key = "/demo/title/" + std::to_string(i % 2500), order = asking.order(key);
    auto list = asking.ask(key);
    if (order[0] == 'f') {
      EXPECT_TRUE(list.empty());
    } else {
      EXPECT_EQ(asking.name(list[0])[0], order[0]);
    }
  }
}

/// Many keys, none of them hot, that all have the same owner.
TEST(Placement, no_member_is_asked_far_above_the_mean) {
  Asking asking("elsewhere", fleet_of(6));
  std::vector<std::string> keys;
  for (int i = 0; keys.size() < 200; ++i) {
    std::string key = "/demo/other/" + std::to_string(i);
    if (asking.order(key).starts_with("a")) keys.push_back(key);
  }
  std::set<std::string> copied;
  for (int round = 0; round < 10; ++round) {
    for (const std::string& key : keys) {
      auto list = asking.ask(key);
      // One that is new has nothing to gain from another than its owner.
      if (round == 0) EXPECT_EQ(asking.name(list[0]), "a");
      if (asking.name(list[0]) != "a") copied.insert(key);
    }
  }
  EXPECT_FALSE(copied.empty());
  auto& loads = asking.placement.loads();
  double mean = std::accumulate(loads.begin(), loads.end(), 0.0) / 6;
  EXPECT_LE(loads[0], Placement::load_bound * mean + Placement::telling_count + 1);
}

TEST(Placement, loads_count_by_weight) {
  auto members = fleet_of(4);
  members[1].weight = 3;
  Asking asking("d", members);
  std::string hot = asking.key_with("abcd");
  for (int i = 0; i < 500; ++i) asking.ask(hot);
  auto& loads = asking.placement.loads();
  EXPECT_NEAR(loads[0], 100, 15);
  EXPECT_NEAR(loads[1], 300, 30);
  EXPECT_NEAR(loads[2], 100, 15);
}

TEST(Placement, owners_of_a_hot_key_in_the_own_zone_come_first) {
  auto members = fleet_of(7);
  for (Member& member : members) member.zone = member.name < "d" ? "far" : "near";
  Asking asking("g", members);
  std::string hot = asking.key_with("abdecfg");
  std::map<std::string, int> asked;
  for (int i = 0; i < 400; ++i) ++asked[asking.name(asking.ask(hot)[0])];
  EXPECT_LT(asked["a"] + asked["b"] + asked["c"], 20);  // before it was known to be hot
  EXPECT_GT(std::min({asked["d"], asked["e"], asked["f"]}), 80);
  for (const char* name : {"d", "e", "f"}) asking.mark(name, false);
  EXPECT_NE(asking.names(hot), "");  // better from afar than not at all
}

TEST(Placement, what_changes_a_key_goes_to_its_owner_however_hot) {
  Asking asking("f", fleet_of(6));
  std::string hot = asking.key_with("abcdef");
  for (int i = 0; i < 300; ++i) asking.ask(hot);
  for (int i = 0; i < 300; ++i) EXPECT_EQ(asking.names(hot, Want::owner), "ab");
}

TEST(Placement, a_new_ring_keeps_the_loads_of_those_that_stay) {
  Asking asking("d", fleet_of(4));
  for (int i = 0; i < 50; ++i) asking.ask("/x" + std::to_string(i));
  auto before = asking.placement.loads();
  auto members = fleet_of(5);
  members.erase(members.begin());
  asking.ring = std::make_shared<const Ring>(members);
  asking.up.assign(4, true);
  asking.ask("/y");
  auto after = asking.placement.loads();
  double sum_before = before[1] + before[2] + before[3];
  EXPECT_DOUBLE_EQ(after[0] + after[1] + after[2] + after[3], sum_before + 1);
}

TEST(Spread, has_names) {
  for (Spread spread : {Spread::object, Spread::title}) {
    EXPECT_EQ(spread_of(name_of(spread)), spread);
  }
  EXPECT_EQ(spread_of("title"), Spread::title);
}

TEST(Spread, an_object_is_placed_by_its_whole_key) {
  EXPECT_EQ(placing_key("/demo/final/v1/720p/3.m4s?a=1", Spread::object),
            "/demo/final/v1/720p/3.m4s?a=1");
}

TEST(Spread, a_title_is_placed_as_one) {
  for (const char* key : {"/demo/final/v1/720p/3.m4s", "/demo/final/index.m3u8?_HLS_msn=4",
                          "/demo/final", "/demo/final?x=/y"}) {
    EXPECT_EQ(placing_key(key, Spread::title), "/demo/final") << key;
  }
  EXPECT_EQ(placing_key("tv.example/demo/final/index.m3u8", Spread::title),
            "tv.example/demo/final");
  EXPECT_EQ(placing_key("/demo/final-2/index.m3u8", Spread::title), "/demo/final-2");
  EXPECT_EQ(placing_key("/alone", Spread::title), "/alone");
  EXPECT_EQ(placing_key("/", Spread::title), "/");
  Asking asking("c", fleet_of(3), Spread::title);
  std::set<std::string> names;
  for (int i = 0; i < 7; ++i) names.insert(asking.names("/demo/t/" + std::to_string(i)));
  EXPECT_EQ(names.size(), 1u);
}

TEST(Demand, counts_are_never_too_low_and_seldom_too_high) {
  Demand demand;
  for (std::uint64_t key = 1; key <= 20'000; ++key) demand.add(ring_hash(std::to_string(key)));
  for (int i = 0; i < 100; ++i) demand.add(ring_hash("hot"));
  EXPECT_GE(demand.count(ring_hash("hot")), 100u);
  EXPECT_LE(demand.count(ring_hash("hot")), 104u);
  EXPECT_NEAR(demand.share(ring_hash("hot")), 100 / 20'100.0, 0.0003);
  int too_high = 0;
  for (std::uint64_t key = 1; key <= 20'000; ++key) {
    auto count = demand.count(ring_hash(std::to_string(key)));
    EXPECT_GE(count, 1u);
    too_high += count > 4;
  }
  EXPECT_LT(too_high, 400);
}

TEST(Demand, halves) {
  Demand demand;
  EXPECT_EQ(demand.share(1), 0);
  for (int i = 0; i < 40; ++i) demand.add(1);
  demand.halve();
  EXPECT_EQ(demand.count(1), 20u);
  EXPECT_EQ(demand.total(), 20u);
}

}  // namespace
}  // namespace relay::edge::fleet
