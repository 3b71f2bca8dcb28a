#include "edge/fleet/peer_key.hpp"

#include <gtest/gtest.h>

namespace relay::edge::fleet {
namespace {

using std::chrono::seconds;

constexpr std::string_view secret = "a-key-of-the-fleet";
constexpr std::string_view target = "/demo/a/1.m4s?x=1";
constexpr WallTime at{seconds{1'700'000'000}};
// Python: hmac.new(secret, b"edge-1 1700000000\nGET\n/demo/a/1.m4s?x=1\n", "sha256"), 32 digits.
constexpr std::string_view signature = "edge-1 1700000000 62bb4af3a5158783167f7bb16def250d";

TEST(PeerKey, signs_as_others_would) {
  EXPECT_EQ(PeerKey(secret).sign("edge-1", "GET", target, at), signature);
}

TEST(PeerKey, knows_who_signed) {
  PeerKey key(secret);
  EXPECT_EQ(key.check(signature, "GET", target, at), "edge-1");
  EXPECT_EQ(key.check(signature, "GET", target, at), "edge-1") << "the key is not used up";
}

TEST(PeerKey, holds_for_one_method_one_target_one_name_and_one_key) {
  PeerKey key(secret);
  EXPECT_FALSE(key.check(signature, "HEAD", target, at));
  EXPECT_FALSE(key.check(signature, "GET", "/demo/a/1.m4s", at));
  EXPECT_FALSE(PeerKey("another-key-of-16").check(signature, "GET", target, at));
  std::string other(signature);
  other[5] = '2';
  EXPECT_FALSE(key.check(other, "GET", target, at));
}

TEST(PeerKey, every_changed_character_is_noticed) {
  PeerKey key(secret);
  for (std::size_t i = 0; i < signature.size(); ++i) {
    std::string changed(signature);
    changed[i] = changed[i] == '0' ? '1' : '0';
    EXPECT_FALSE(key.check(changed, "GET", target, at)) << i;
    EXPECT_FALSE(key.check(signature.substr(0, i), "GET", target, at)) << i;
  }
}

TEST(PeerKey, holds_within_the_skew_of_clocks_only) {
  PeerKey key(secret);
  for (int apart : {-30, -1, 1, 30}) {
    EXPECT_TRUE(key.check(signature, "GET", target, at + seconds(apart))) << apart;
  }
  for (int apart : {-3600, -31, 31, 3600}) {
    EXPECT_FALSE(key.check(signature, "GET", target, at + seconds(apart))) << apart;
  }
}

TEST(PeerKey, refuses_what_is_no_signature) {
  PeerKey key(secret);
  for (std::string_view value : {"", " ", "  ", "edge-1", "edge-1 1700000000", "edge-1 17x 00",
                                 "edge-1  00", "edge-1 99999999999999999999 00"}) {
    EXPECT_FALSE(key.check(value, "GET", target, at)) << value;
  }
}

TEST(PeerKey, without_a_key_nobody_is_known) {
  PeerKey none("");
  EXPECT_TRUE(none.empty());
  EXPECT_FALSE(none.check(signature, "GET", target, at));
}

}  // namespace
}  // namespace relay::edge::fleet
