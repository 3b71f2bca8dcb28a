#include "edge/variants.hpp"

#include <gtest/gtest.h>

namespace relay::edge {
namespace {

std::string variant(const std::string& primary, std::size_t number) {
  return primary + "\nx-who=" + std::to_string(number);
}

/// The first `count` variants of the key, none of which may cost another its place.
void fill(Variants& variants, const std::string& primary,
          std::size_t count = Variants::variants_max) {
  for (std::size_t i = 0; i < count; ++i) ASSERT_FALSE(variants.add(variant(primary, i))) << i;
}

TEST(Variants, for_one_too_many_the_oldest_goes) {
  Variants variants;
  fill(variants, "/a");
  fill(variants, "/b");
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(variants.add(variant("/a", Variants::variants_max + i)), digest128(variant("/a", i)));
  }
}

TEST(Variants, one_that_is_stored_again_is_the_newest) {
  Variants variants;
  fill(variants, "/a");
  EXPECT_FALSE(variants.add(variant("/a", 0)));
  EXPECT_EQ(variants.add(variant("/a", Variants::variants_max)), digest128(variant("/a", 1)));
}

TEST(Variants, one_that_was_confirmed_is_the_newest) {
  Variants variants;
  fill(variants, "/a");
  variants.renew(variant("/a", 0));
  variants.renew(variant("/a", Variants::variants_max));  // not known
  variants.renew(variant("/b", 0));
  EXPECT_EQ(variants.add(variant("/a", Variants::variants_max)), digest128(variant("/a", 1)));
  EXPECT_EQ(variants.add(variant("/a", Variants::variants_max + 1)), digest128(variant("/a", 2)));
}

TEST(Variants, many_keys_with_few_do_not_free_one_with_many) {
  Variants variants;
  fill(variants, "/a");
  std::uint64_t keys = Variants::bytes_max / sizeof(Digest128);  // more than there is room for
  for (std::uint64_t i = 0; i < keys; ++i) variants.add(variant("/" + std::to_string(i), 0));
  EXPECT_EQ(variants.add(variant("/a", Variants::variants_max)), digest128(variant("/a", 0)));
}

TEST(Variants, many_keys_with_many_take_no_more_than_their_memory) {
  Variants variants;
  std::uint64_t room = Variants::bytes_max / sizeof(Digest128) / Variants::variants_max;
  fill(variants, "/a");
  for (std::uint64_t i = 0; i < 2 * room; ++i) fill(variants, "/" + std::to_string(i));
  EXPECT_FALSE(variants.add(variant("/a", Variants::variants_max))) << "forgotten, to begin anew";
}

}  // namespace
}  // namespace relay::edge
