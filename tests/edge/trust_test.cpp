#include "edge/fleet/trust.hpp"

#include <gtest/gtest.h>

namespace relay::edge::fleet {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime noon{12h};
const std::vector<std::string> five = {"a", "b", "c", "d", "e"};

TEST(Trust, begins_with_the_word_of_a_majority_and_lasts_a_lease) {
  Trust trust("a", five, 5s, noon);
  EXPECT_FALSE(trust.holds(noon));
  trust.note_told("b", noon + 1s);
  EXPECT_FALSE(trust.holds(noon + 1s)) << "two of five";
  trust.note_told("c", noon + 2s);
  EXPECT_TRUE(trust.holds(noon + 2s));
  EXPECT_TRUE(trust.holds(noon + 5999ms));
  EXPECT_FALSE(trust.holds(noon + 6s)) << "a lease after the older one of the two";
  trust.note_told("d", noon + 7s);
  EXPECT_FALSE(trust.holds(noon + 7s)) << "c's word, of second 2, has run out";
  trust.note_told("b", noon + 6s);
  EXPECT_TRUE(trust.holds(noon + 7s));
  EXPECT_FALSE(trust.holds(noon + 11s));
}

TEST(Trust, an_older_answer_that_comes_late_takes_nothing_away) {
  Trust trust("a", {"a", "b"}, 5s, noon);
  trust.note_told("b", noon + 3s);
  trust.note_told("b", noon + 1s);
  EXPECT_TRUE(trust.holds(noon + 7s));
}

TEST(Trust, strangers_and_oneself_do_not_count) {
  Trust trust("a", {"a", "b", "c"}, 5s, noon);
  trust.note_told("x", noon);
  trust.note_told("a", noon);
  EXPECT_FALSE(trust.holds(noon));
}

TEST(Trust, alone_or_without_a_lease_it_never_ends) {
  EXPECT_TRUE(Trust("a", {"a"}, 5s, noon).holds(noon + 1000h));
  EXPECT_TRUE(Trust("a", {}, 5s, noon).holds(noon + 1000h));
  EXPECT_TRUE(Trust("a", five, 0s, noon).holds(noon + 1000h));
}

TEST(Trust, other_members_want_another_majority) {
  Trust trust("a", {"a", "b", "c"}, 5s, noon);
  trust.note_told("b", noon);
  EXPECT_TRUE(trust.holds(noon));
  trust.replace(five);
  EXPECT_FALSE(trust.holds(noon)) << "two of five";
  trust.replace({"a", "c", "d"});
  EXPECT_FALSE(trust.holds(noon)) << "b is no member any more";
  trust.replace({"a"});
  EXPECT_TRUE(trust.holds(noon));
}

TEST(Trust, says_how_long_others_may_build_on_its_word) {
  Trust trust("a", {"a", "b", "c"}, 5s, noon);
  using Lent = std::map<std::string, std::chrono::milliseconds>;
  EXPECT_EQ(trust.lent(noon + 2s), (Lent{{"b", 3s}, {"c", 3s}})) << "what an earlier run lent";
  trust.note_telling("b", noon + 4s);
  EXPECT_EQ(trust.lent(noon + 6s), (Lent{{"b", 3s}}));
  EXPECT_EQ(trust.lent(noon + 9s), Lent{});
}

TEST(Trust, strangers_are_not_to_build_on_it) {
  Trust trust("a", {"a", "b"}, 5s, noon);
  EXPECT_TRUE(trust.note_telling("b", noon + 5s));
  EXPECT_FALSE(trust.note_telling("x", noon + 5s));
  EXPECT_FALSE(trust.lent(noon + 5s).contains("x"));
  trust.replace({"a", "b", "x"});
  EXPECT_TRUE(trust.note_telling("x", noon + 6s));
  EXPECT_EQ(trust.lent(noon + 6s).at("x"), 5s);
}

TEST(Trust, what_was_lent_to_a_member_that_is_none_any_more_counts_to_its_end) {
  Trust trust("a", {"a", "b", "c"}, 5s, noon);
  trust.note_telling("c", noon + 2s);
  trust.replace({"a"});
  using Lent = std::map<std::string, std::chrono::milliseconds>;
  EXPECT_EQ(trust.lent(noon + 3s), (Lent{{"b", 2s}, {"c", 4s}})) << "an earlier run lent to b";
  EXPECT_EQ(trust.lent(noon + 7s), Lent{});
}

TEST(Trust, with_a_bus_the_stream_is_a_word_of_its_own) {
  Trust trust("a", {"a", "b"}, 5s, noon);
  trust.use_stream(60s);
  EXPECT_FALSE(trust.holds(noon));
  trust.note_streamed(noon);
  EXPECT_TRUE(trust.holds(noon + 4999ms)) << "b was never heard";
  EXPECT_FALSE(trust.holds(noon + 5s));
  trust.note_streamed(noon + 6s);
  trust.note_streamed(noon + 3s);
  EXPECT_TRUE(trust.holds(noon + 10s));
}

TEST(Trust, without_its_bus_a_majority_counts_for_a_while) {
  Trust trust("a", {"a", "b", "c"}, 5s, noon);
  trust.use_stream(60s);
  trust.note_told("b", noon);
  EXPECT_FALSE(trust.holds(noon)) << "who is in the fleet was never asked";
  EXPECT_TRUE(trust.told_by_majority(noon));
  EXPECT_TRUE(trust.cut_off(noon));
  trust.note_streamed(noon);
  trust.note_told("b", noon + 30s);
  EXPECT_TRUE(trust.holds(noon + 30s));
  EXPECT_FALSE(trust.cut_off(noon + 59s));
  trust.note_told("b", noon + 59s);
  EXPECT_TRUE(trust.holds(noon + 59s));
  EXPECT_FALSE(trust.holds(noon + 60s)) << "the fleet may have become another one";
  EXPECT_TRUE(trust.cut_off(noon + 60s));
}

TEST(Trust, the_word_of_one_who_is_cut_off_lends_nothing) {
  Trust trust("a", {"a", "b"}, 5s, noon);
  trust.use_stream(60s);
  trust.note_streamed(noon - 10s);
  trust.note_told("b", noon, false);
  EXPECT_FALSE(trust.holds(noon));
  EXPECT_TRUE(trust.told_by_majority(noon)) << "but it has told all it knew";
  trust.note_told("b", noon);
  EXPECT_TRUE(trust.holds(noon));
}

TEST(Trust, an_edge_alone_needs_its_bus_as_well) {
  Trust trust("a", {"a"}, 5s, noon);
  EXPECT_FALSE(trust.cut_off(noon)) << "there is no bus";
  EXPECT_TRUE(trust.alone());
  trust.use_stream(60s);
  EXPECT_FALSE(trust.holds(noon));
  trust.note_streamed(noon);
  EXPECT_TRUE(trust.holds(noon + 59s));
  EXPECT_FALSE(trust.holds(noon + 60s));
}

TEST(Fence, counts_who_may_still_give_a_majority) {
  const SteadyTime none = SteadyTime::min();
  // Of three, two know: the third needs one of them.
  EXPECT_EQ(fenced_at(3, 1, {noon, noon + 1s}), noon + 1s);
  EXPECT_EQ(fenced_at(3, 1, {noon}), noon);
  EXPECT_EQ(fenced_at(3, 1, {}), none);
  // Of three, only one knows: the others are a majority.
  EXPECT_EQ(fenced_at(3, 2, {noon}), std::nullopt);
  // Of five, three know, two do not and may lend one another: either needs one more.
  EXPECT_EQ(fenced_at(5, 2, {noon, noon + 3s, noon + 1s}), noon + 3s);
  // Of five, four know: the fifth needs two of them, or only one when it reads of four.
  EXPECT_EQ(fenced_at(5, 1, {noon, noon + 3s, noon + 1s}), noon + 3s);
  EXPECT_EQ(fenced_at(2, 1, {noon}), noon);
}

}  // namespace
}  // namespace relay::edge::fleet
