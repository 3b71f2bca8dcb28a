#include "edge/bus/registration.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace relay::edge::bus {
namespace {

using std::chrono::milliseconds;
using testing::StartsWith;

std::string refusal(std::string_view key, std::string_view text) {
  auto decoded = decode_registration(key, text);
  return decoded ? "accepted" : decoded.error().message;
}

TEST(BusRegistration, comes_back_as_it_was_written) {
  Registration plain{{"edge-1", "http://10.0.0.1:7101"}, milliseconds(0)};
  Registration full{{"par.1", "http://[::1]:80", 2.5, "eu-west", true},
                    milliseconds(86'400'123),
                    Registration::never};
  EXPECT_EQ(decode_registration("a", "name = \"a\"\nurl = \"http://b:1\"")->looked_before,
            Registration::never)
      << "nothing is said of it";
  for (const Registration& each : {plain, full}) {
    auto decoded = decode_registration(key_of(each.member.name), encode(each));
    ASSERT_TRUE(decoded) << decoded.error().message;
    EXPECT_EQ(*decoded, each);
  }
}

TEST(BusRegistration, is_held_to_the_rules_of_the_config) {
  EXPECT_THAT(refusal("a", "no toml {"), StartsWith("a:1:"));
  EXPECT_THAT(refusal("a", ""), StartsWith("a:1:1: name is refused"));
  EXPECT_THAT(refusal("a", "name = \"a\""), StartsWith("a:1:1: url is refused"));
  EXPECT_THAT(refusal("a", "name = \"a\"\nurl = \"http://b:1\"\nweight = 0"),
              StartsWith("a:3:10: weight is 0"));
  EXPECT_THAT(refusal("a", "name = \"a\"\nurl = \"http://b:1\"\nzone = \"c d\""),
              StartsWith("a:3:8: zone is refused"));
  EXPECT_THAT(refusal("a", "name = \"a\"\nurl = \"http://b:1\"\nregistered_for_ms = -1"),
              StartsWith("a:3:21: registered_for_ms is -1"));
  EXPECT_THAT(refusal("a", "name = \"a\"\nurl = \"http://b:1\"\nlooked_before_ms = \"1\""),
              StartsWith("a:3:20: looked_before_ms is a text"));
  EXPECT_THAT(refusal("a", "name = \"a\"\nurl = \"http://b:1\"\ncolour = 1"),
              StartsWith("a:3:1: unknown key colour"));
}

TEST(BusRegistration, counts_under_its_own_key_only) {
  std::string text = encode({{"edge.1", "http://b:1"}, {}});
  EXPECT_EQ(refusal("edge=1", text), "accepted");
  EXPECT_THAT(refusal("edge-2", text), StartsWith("edge-2:1:1: name is \"edge.1\""));
}

TEST(BusRegistration, members_as_last_known_come_back) {
  std::vector<fleet::Member> members = {{"a", "http://a:1", 2, "x", false},
                                        {"b", "http://b:1", 1, "", true}};
  auto decoded = decode_members("file", encode_members(members));
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(*decoded, members);
  EXPECT_TRUE(decode_members("file", "")->empty());
  auto torn = decode_members("file", encode_members(members).substr(0, 40));
  ASSERT_FALSE(torn);
  EXPECT_THAT(torn.error().message, StartsWith("file:"));
}

}  // namespace
}  // namespace relay::edge::bus
