#include "edge/fleet/peer_gate.hpp"

#include <gtest/gtest.h>

namespace relay::edge::fleet {
namespace {

const std::vector<Member> members = {{"a", "http://192.0.2.1:7101", 1},
                                     {"b", "http://edge.example:7101", 1}};

bool allowed(std::string_view peer, std::vector<http::Field> fields = {}) {
  return check_address(peer, fields, members).has_value();
}

TEST(PeerGate, lets_in_this_machine_and_members) {
  for (std::string_view peer : {"127.0.0.1", "127.9.9.9", "::1", "unix", "192.0.2.1",
                                "::ffff:192.0.2.1", "::ffff:127.0.0.1"}) {
    EXPECT_TRUE(allowed(peer)) << peer;
  }
}

TEST(PeerGate, keeps_out_everybody_else) {
  for (std::string_view peer : {"192.0.2.2", "192.0.2.11", "::2", ""}) {
    EXPECT_FALSE(allowed(peer)) << peer;
  }
}

TEST(PeerGate, keeps_out_what_was_forwarded) {
  EXPECT_TRUE(allowed("127.0.0.1", {{"Host", "a"}}));
  for (std::string_view field : {"via", "Forwarded", "X-Forwarded-For", "CDN-Loop"}) {
    EXPECT_FALSE(allowed("127.0.0.1", {{field, "x"}})) << field;
    EXPECT_FALSE(allowed("192.0.2.1", {{field, "x"}})) << field;
  }
}

TEST(PeerGate, with_a_key_only_a_signature_counts) {
  PeerKey key("a key of sixteen and more"), none("");
  WallTime now{std::chrono::seconds(1'700'000'000)};
  auto asks = [&](const PeerKey& by, std::string_view target, std::vector<http::Field> fields) {
    http::RequestHead request{.method = "POST", .fields = fields};
    return check_member(by, "192.0.2.9", request, target, members, now).has_value();
  };
  std::string signature = key.sign("a", "POST", "/x", now);
  EXPECT_TRUE(asks(key, "/x", {{peer_field, signature}}));
  EXPECT_TRUE(asks(key, "/x", {{peer_field, signature}, {"Via", "1.1 a"}}));
  EXPECT_FALSE(asks(key, "/y", {{peer_field, signature}}));
  EXPECT_FALSE(asks(key, "/x", {}));
  http::RequestHead plain{.method = "POST"};
  EXPECT_FALSE(check_member(key, "127.0.0.1", plain, "/x", members, now).has_value());
  EXPECT_TRUE(check_member(none, "127.0.0.1", plain, "/x", members, now).has_value());
  EXPECT_FALSE(asks(none, "/x", {}));
}

}  // namespace
}  // namespace relay::edge::fleet
