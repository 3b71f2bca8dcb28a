#include "edge/bus/roster.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace relay::edge::bus {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;
using Names = std::vector<std::string>;

constexpr milliseconds ttl{1'000};
constexpr Roster::Times times{ttl, milliseconds(60'000)};
const SteadyTime start = SteadyTime{} + std::chrono::hours(1);

Age ago(milliseconds age) {
  return {age, age};
}

fleet::Member member(std::string name) {
  return {name, "http://" + name + ":1"};
}

Registration of(std::string name, milliseconds registered_for = std::chrono::minutes(10)) {
  return {member(std::move(name)), registered_for, ttl / 10};
}

Names names(const std::vector<fleet::Member>& members) {
  Names all;
  for (const fleet::Member& each : members) all.push_back(each.name);
  return all;
}

Roster fleet_of(std::vector<std::string> others) {
  Roster roster(member("m"), times, {}, start);
  roster.note("m", of("m"), ago(milliseconds(0)), start);
  for (const std::string& name : others) roster.note(name, of(name), ago(milliseconds(0)), start);
  return roster;
}

Names old_views(const Roster& roster) {
  Names all;
  for (const Standing& each : roster.standings()) {
    if (each.old_view) all.push_back(each.name);
  }
  return all;
}

TEST(BusRoster, shows_those_who_register_and_this_edge) {
  Roster roster(member("m"), times, {}, start);
  EXPECT_EQ(names(roster.view(start).members), Names{"m"});
  roster.note("z", of("z"), ago(milliseconds(10)), start);
  roster.note("a", of("a"), ago(milliseconds(10)), start);
  EXPECT_EQ(names(roster.view(start).members), (Names{"a", "m", "z"}));
  roster.note_left("a");
  EXPECT_EQ(names(roster.view(start).members), (Names{"m", "z"}));
}

TEST(BusRoster, what_a_member_says_of_itself_is_followed) {
  Roster roster = fleet_of({"a"});
  Registration changed = of("a");
  changed.member.weight = 3;
  changed.member.drain = true;
  roster.note("a", changed, ago(milliseconds(0)), start);
  EXPECT_EQ(roster.view(start).members.front(), changed.member);
}

TEST(BusRoster, who_does_not_renew_is_lost_and_later_forgotten) {
  Roster roster = fleet_of({"a", "b"});
  roster.note("a", of("a"), ago(milliseconds(0)), start + ttl / 2);
  View view = roster.view(start + ttl);
  EXPECT_EQ(names(view.members), (Names{"a", "m"}));
  EXPECT_EQ(names(view.lost), Names{"b"});
  roster.note("b", of("b"), ago(milliseconds(0)), start + ttl);
  EXPECT_EQ(names(roster.view(start + ttl).members), (Names{"a", "b", "m"}));
  EXPECT_EQ(names(roster.view(start + times.forget_after).lost), (Names{"a", "b"}));
  view = roster.view(start + times.forget_after + ttl);
  EXPECT_EQ(names(view.members), Names{"m"});
  EXPECT_THAT(view.lost, IsEmpty());
}

TEST(BusRoster, an_old_registration_found_at_the_first_look_is_of_one_who_is_lost) {
  Roster roster(member("m"), times, {}, start);
  roster.note("a", of("a"), ago(ttl * 2), start);
  EXPECT_EQ(names(roster.view(start).lost), Names{"a"});
}

TEST(BusRoster, after_a_pause_nobody_is_lost_for_want_of_news) {
  Roster roster = fleet_of({"a", "b"});
  EXPECT_EQ(names(roster.view(start).members), (Names{"a", "b", "m"}));
  SteadyTime later = start + 10 * ttl;
  roster.note_pause(later);
  roster.note("a", of("a"), ago(10 * ttl), later);  // what it wrote before the pause
  EXPECT_EQ(names(roster.view(later).members), (Names{"a", "b", "m"}));
  roster.note("a", of("a"), ago(milliseconds(0)), later + ttl / 2);
  EXPECT_EQ(names(roster.view(later + ttl).members), (Names{"a", "m"}));
}

TEST(BusRoster, who_was_lost_before_a_pause_stays_lost) {
  Roster roster = fleet_of({"a"});
  EXPECT_EQ(names(roster.view(start + ttl).lost), Names{"a"});
  roster.note_pause(start + 2 * ttl);
  EXPECT_EQ(names(roster.view(start + 2 * ttl).lost), Names{"a"});
}

TEST(BusRoster, members_as_last_known_have_a_ttl_to_be_heard) {
  std::vector<fleet::Member> known = {member("a"), member("b"), member("m")};
  Roster roster(member("m"), times, known, start);
  roster.note("a", of("a"), ago(milliseconds(0)), start);
  Names keys = {"a", "m"};
  roster.note_keys(keys);
  EXPECT_EQ(names(roster.view(start).members), (Names{"a", "b", "m"}));
  roster.note("a", of("a"), ago(milliseconds(0)), start + ttl / 2);
  View view = roster.view(start + ttl);
  EXPECT_EQ(names(view.members), (Names{"a", "m"}));
  EXPECT_THAT(view.lost, IsEmpty()) << "the bus knows nothing of it any more";
}

TEST(BusRoster, holds_so_many_and_no_more) {
  Roster roster(member("m"), times, {}, start);
  for (std::size_t i = 0; i < registrations_max; ++i) {
    std::string name = "n" + std::to_string(i);
    EXPECT_TRUE(roster.note(name, of(name), ago(milliseconds(0)), start));
  }
  EXPECT_FALSE(roster.note("x", of("x"), ago(milliseconds(0)), start));
  EXPECT_TRUE(roster.note("n7", of("n7"), ago(milliseconds(0)), start));
  EXPECT_EQ(roster.view(start).members.size(), registrations_max + 1);
}

TEST(BusRoster, who_has_not_looked_since_somebody_came_may_not_know_of_it) {
  Roster roster = fleet_of({"a", "b"});
  EXPECT_THAT(old_views(roster), IsEmpty());
  SteadyTime later = start + 10 * ttl;
  roster.note("b", of("b"), ago(milliseconds(0)), later);
  roster.note("c", of("c", milliseconds(0)), ago(milliseconds(0)), later);
  EXPECT_THAT(old_views(roster), ElementsAre("a", "b")) << "b looked just before c came";
  roster.note("b", of("b"), ago(milliseconds(0)), later + ttl / 5);
  EXPECT_THAT(old_views(roster), ElementsAre("a"));
}

TEST(BusRoster, of_what_was_written_at_an_uncertain_time_the_worse_is_taken) {
  Roster roster = fleet_of({"a", "b"});
  SteadyTime later = start + 10 * ttl;
  Age unsure{milliseconds(0), ttl / 2};
  roster.note("b", of("b", ttl / 4), unsure, later);
  roster.note("a", of("a"), unsure, later);
  EXPECT_THAT(old_views(roster), ElementsAre("a")) << "b may have come after a looked";
  EXPECT_EQ(roster.standings()[0].heard_until, later + ttl);
}

TEST(BusRoster, says_until_when_a_member_may_have_asked_the_bus) {
  Roster roster = fleet_of({"a"});
  roster.note("a", of("a"), ago(ttl / 4), start + ttl);
  ASSERT_EQ(roster.standings().size(), 1u);
  EXPECT_EQ(roster.standings()[0].heard_until, start + ttl - ttl / 4 + ttl);
}

TEST(BusRoster, an_edge_is_known_from_its_first_registration_on) {
  Roster roster(member("m"), times, {}, start);
  roster.note("a", of("a"), ago(milliseconds(0)), start + ttl);
  EXPECT_THAT(old_views(roster), ElementsAre("a")) << "m is not registered yet";
  EXPECT_EQ(roster.registration(start + ttl), (Registration{member("m"), {}, Registration::never}));
  roster.note_registered(start + 2 * ttl);
  roster.note_registered(start + 3 * ttl);
  roster.note_looked(start + 3 * ttl);
  EXPECT_EQ(roster.registration(start + 4 * ttl), (Registration{member("m"), 2 * ttl, ttl}));
  EXPECT_THAT(old_views(roster), ElementsAre("a"));
  roster.note("a", of("a"), ago(milliseconds(0)), start + 3 * ttl);
  EXPECT_THAT(old_views(roster), IsEmpty());
}

TEST(BusRoster, an_edge_that_was_restarted_in_time_never_left) {
  Roster roster(member("m"), times, {}, start);
  roster.note("a", of("a"), ago(ttl * 5), start);
  EXPECT_THAT(old_views(roster), ElementsAre("a"));
  roster.note("m", of("m"), ago(milliseconds(0)), start);  // its own, of the run before
  roster.note_registered(start);
  EXPECT_THAT(old_views(roster), IsEmpty());
  EXPECT_EQ(roster.registration(start).registered_for, milliseconds(std::chrono::minutes(10)));
}

}  // namespace
}  // namespace relay::edge::bus
