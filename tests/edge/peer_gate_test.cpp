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

}  // namespace
}  // namespace relay::edge::fleet
