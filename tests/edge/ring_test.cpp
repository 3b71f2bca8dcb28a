#include "edge/fleet/ring.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

namespace relay::edge::fleet {
namespace {

constexpr int keys = 200'000;

std::vector<Member> fleet_of(int count, double weight = 1.0) {
  std::vector<Member> members;
  for (int i = 1; i <= count; ++i) {
    members.push_back({"edge-" + std::to_string(i), "http://127.0.0.1:7101", weight, ""});
  }
  return members;
}

std::uint64_t key_hash(int i) {
  return ring_hash("/demo/final/v1/720p/" + std::to_string(i) + ".m4s");
}

const std::string& owner_name(const Ring& ring, int i) {
  return ring.members()[ring.owner(key_hash(i))].name;
}

std::vector<int> keys_by_member(const Ring& ring) {
  std::vector<int> count(ring.members().size());
  for (int i = 0; i < keys; ++i) ++count[ring.owner(key_hash(i))];
  return count;
}

TEST(Ring, fifty_equal_members_hold_equal_shares) {
  auto count = keys_by_member(Ring(fleet_of(50)));
  double mean = keys / 50.0;
  EXPECT_LE(*std::ranges::max_element(count), mean * 1.05);
  EXPECT_GE(*std::ranges::min_element(count), mean * 0.95);
}

TEST(Ring, shares_follow_weights) {
  auto members = fleet_of(4);
  members[0].weight = 0.5;
  members[2].weight = 2.5;
  members[3].weight = 4;
  Ring ring(members);
  auto count = keys_by_member(ring);
  for (std::size_t i = 0; i < members.size(); ++i) {
    double share = keys * members[i].weight / 8.0;
    EXPECT_NEAR(count[i], share, share * 0.03) << members[i].name;
    EXPECT_DOUBLE_EQ(ring.share(i), members[i].weight / 8.0);
  }
}

TEST(Ring, a_member_that_leaves_moves_only_its_keys_each_to_its_second_owner) {
  auto members = fleet_of(10);
  Ring before(members);
  members.erase(members.begin() + 4);
  Ring after(members);
  int moved = 0;
  for (int i = 0; i < 20'000; ++i) {
    auto order = before.owners(key_hash(i), 2);
    bool left = before.members()[order[0]].name == "edge-5";
    moved += left;
    EXPECT_EQ(owner_name(after, i), before.members()[order[left ? 1 : 0]].name);
  }
  EXPECT_NEAR(moved, 2000, 200);
}

TEST(Ring, a_weight_that_grows_only_draws_keys_in) {
  auto members = fleet_of(5);
  Ring before(members);
  members[1].weight = 2;
  Ring after(members);
  for (int i = 0; i < 20'000; ++i) {
    if (owner_name(before, i) == owner_name(after, i)) continue;
    EXPECT_EQ(owner_name(after, i), "edge-2");
  }
}

TEST(Ring, owners_are_different_members_and_begin_with_the_owner) {
  Ring ring(fleet_of(7));
  for (int i = 0; i < 1000; ++i) {
    auto order = ring.owners(key_hash(i), 99);
    EXPECT_EQ(std::set(order.begin(), order.end()).size(), 7u);
    EXPECT_EQ(order[0], ring.owner(key_hash(i)));
    auto some = ring.owners(key_hash(i), 3);
    EXPECT_TRUE(std::ranges::equal(some, std::span(order).first(3)));
  }
  EXPECT_TRUE(Ring().owners(1, 3).empty());
}

TEST(Ring, every_edge_computes_the_same_whatever_the_order_of_its_list) {
  auto members = fleet_of(9);
  Ring one(members);
  std::ranges::reverse(members);
  for (Member& member : members) member.url = "http://elsewhere:1";
  Ring other(members);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(owner_name(one, i), owner_name(other, i));
}

TEST(Ring, keys_stay_where_earlier_releases_put_them) {
  Ring ring(fleet_of(3));
  std::string owners;
  for (int i = 0; i < 12; ++i) owners += owner_name(ring, i).back();
  EXPECT_EQ(owners, "311221212132");
}

}  // namespace
}  // namespace relay::edge::fleet
