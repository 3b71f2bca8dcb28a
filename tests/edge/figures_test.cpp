#include "edge/fleet/figures.hpp"

#include <gtest/gtest.h>

namespace relay::edge::fleet {
namespace {

constexpr SteadyTime start{std::chrono::seconds{1000}};
constexpr Figures some{3, 4'000'000'000, 50, 1'000};

TEST(Figures, come_back_as_they_were_told) {
  EXPECT_EQ(decode_figures(encode(some)).value(), some);
}

TEST(Figures, anything_else_is_refused) {
  for (const char* text :
       {"", "ok\n", "[]", "{}", "{\"objects\":1,\"body_bytes\":2,\"requests\":3}",
        "{\"objects\":-1,\"body_bytes\":2,\"requests\":3,\"sent_bytes\":4}",
        "{\"objects\":\"1\",\"body_bytes\":2,\"requests\":3,\"sent_bytes\":4}"}) {
    EXPECT_FALSE(decode_figures(text)) << text;
  }
}

TEST(Figures, two_answers_tell_the_load) {
  Told first = tell(std::nullopt, some, start);
  EXPECT_EQ(first.figures, some);
  EXPECT_EQ(first.requests_per_s, 0) << "one answer alone tells none";
  Told second = tell(first, {3, 4'000'000'000, 90, 5'000}, start + std::chrono::seconds(4));
  EXPECT_DOUBLE_EQ(second.requests_per_s, 10);
  EXPECT_DOUBLE_EQ(second.sent_bytes_per_s, 1000);
  Told restarted = tell(second, {0, 0, 6, 0}, start + std::chrono::seconds(6));
  EXPECT_DOUBLE_EQ(restarted.requests_per_s, 3);
  EXPECT_DOUBLE_EQ(restarted.sent_bytes_per_s, 0);
}

}  // namespace
}  // namespace relay::edge::fleet
