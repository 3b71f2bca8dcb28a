#include "edge/absences.hpp"

#include <gtest/gtest.h>

namespace relay::edge {
namespace {

using std::chrono::seconds;

constexpr WallTime start{std::chrono::hours(1)};

StoredPtr absent() {
  StoredResponse made = make_stored(404, {}, start, start);
  made.freshness.lifetime = seconds(1);
  return std::make_shared<const StoredResponse>(std::move(made));
}

std::string body_of(const Found& found) {
  auto piece = found.object->piece(0);
  return {piece.address, piece.size};
}

TEST(Absences, the_newest_of_a_key_is_found_until_it_is_removed) {
  Absences absences;
  EXPECT_FALSE(absences.find("/a"));
  absences.keep("/a", absent(), "not yet", start);
  absences.keep("/a", absent(), "still not", start);
  absences.keep("/b", absent(), "", start);
  EXPECT_EQ(body_of(absences.find("/a")), "still not");
  EXPECT_EQ(absences.find("/a").object->digest(), digest128("still not"));
  EXPECT_EQ(absences.find("/b").object->body_bytes(), 0u);
  absences.remove("/a");
  EXPECT_FALSE(absences.find("/a"));
  EXPECT_TRUE(absences.find("/b"));
}

TEST(Absences, one_of_a_variant_goes_with_its_primary_key) {
  Absences absences;
  absences.keep("/a\n\nde", absent(), "de", start);
  absences.keep("/ab", absent(), "ab", start);
  absences.remove("/a");
  EXPECT_FALSE(absences.find("/a\n\nde"));
  EXPECT_TRUE(absences.find("/ab"));
}

TEST(Absences, long_bodies_are_not_kept) {
  Absences absences;
  absences.keep("/a", absent(), std::string(Absences::body_bytes_max, 'x'), start);
  absences.keep("/b", absent(), std::string(Absences::body_bytes_max + 1, 'x'), start);
  EXPECT_TRUE(absences.find("/a"));
  EXPECT_FALSE(absences.find("/b"));
}

TEST(Absences, names_at_random_take_no_more_than_their_memory) {
  Absences absences;
  std::string body(16 << 10, 'x');
  std::size_t names = 4 * Absences::bytes_max / body.size();
  auto name = [](std::size_t i) { return "/random/" + std::to_string(i); };
  for (std::size_t i = 0; i < names; ++i) absences.keep(name(i), absent(), body, start);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < names; ++i) kept += absences.find(name(i)) ? 1 : 0;
  EXPECT_GT(kept, 0u);
  EXPECT_LE(kept * body.size(), Absences::bytes_max);
  EXPECT_TRUE(absences.find(name(names - 1)));
}

TEST(Absences, what_is_over_goes_before_what_is_not) {
  Absences absences;
  std::string body(16 << 10, 'x');
  std::size_t names = 4 * Absences::bytes_max / body.size();
  // One more in each shard than what is over leaves room for.
  StoredResponse later = *absent();
  later.freshness.response_time = start + seconds(10);
  absences.keep("/new", std::make_shared<const StoredResponse>(later), body, start);
  for (std::size_t i = 0; i < names; ++i) {
    absences.keep("/old/" + std::to_string(i), absent(), body, start + seconds(10));
  }
  EXPECT_TRUE(absences.find("/new"));
}

}  // namespace
}  // namespace relay::edge
