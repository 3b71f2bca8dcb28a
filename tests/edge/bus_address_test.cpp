#include "edge/bus/address.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace relay::edge::bus {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST(BusAddress, has_servers_behind_commas) {
  auto servers =
      servers_of("nats://a:4222,tls://user:word@b.example:1,nats://token@[::1]:2,nats://c");
  ASSERT_TRUE(servers) << servers.error().message;
  EXPECT_THAT(*servers, ElementsAre("nats://a:4222", "tls://user:word@b.example:1",
                                    "nats://token@[::1]:2", "nats://c"));
}

TEST(BusAddress, refuses_what_is_no_server) {
  for (std::string_view wrong : {"", "a:4222", "http://a:1", "nats://", "nats://:4222",
                                 "nats://a:0", "nats://a:65536", "nats://a:x", "nats://a/b",
                                 "nats://a,", "nats://a b", "nats://[]:1", "nats://user:word@"}) {
    auto servers = servers_of(wrong);
    ASSERT_FALSE(servers) << wrong;
    EXPECT_THAT(servers.error().message, HasSubstr("allowed is nats://HOST:PORT")) << wrong;
  }
  std::string many = "nats://a";
  for (std::size_t i = 0; i < servers_max; ++i) many += ",nats://a";
  EXPECT_FALSE(servers_of(many));
}

TEST(BusAddress, is_shown_without_secrets) {
  EXPECT_EQ(without_secrets("nats://a:4222"), "nats://a:4222");
  EXPECT_EQ(without_secrets("nats://user:p@ss@a:1,tls://token@b"), "nats://...@a:1,tls://...@b");
  EXPECT_EQ(without_secrets("user:word@a"), "...@a");
  auto refused = servers_of("nats://user:opensesame@a:x");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, Not(HasSubstr("opensesame")));
}

TEST(BusAddress, a_fleets_name_fits_into_names_of_the_bus) {
  EXPECT_TRUE(is_bus_name("torchrelay"));
  EXPECT_TRUE(is_bus_name("Games_2026-a"));
  EXPECT_TRUE(is_bus_name(std::string(64, 'a')));
  for (std::string_view wrong : {"", "a.b", "a b", "*", ">", "a$"})
    EXPECT_FALSE(is_bus_name(wrong));
  EXPECT_FALSE(is_bus_name(std::string(65, 'a')));
}

}  // namespace
}  // namespace relay::edge::bus
