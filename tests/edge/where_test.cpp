#include "edge/where.hpp"

#include <gtest/gtest.h>

#include "edge/fleet/placement.hpp"

namespace relay::edge {
namespace {

Settings fleet_settings() {
  Settings settings;
  settings.members = {{"a", "http://a:1", 1.0, "north"}, {"b", "http://b:1", 2.0, ""}};
  return settings;
}

TEST(Where, lists_all_members_in_the_keys_order) {
  Settings settings = fleet_settings();
  fleet::Ring ring(settings.members);
  for (const char* target : {"/demo/a/1.m4s", "/demo/a/2.m4s", "/demo/a/3.m4s", "/demo/a/4.m4s"}) {
    std::string first = "  1  owner      a  http://a:1  weight 1  share 33.33 %  zone north\n";
    std::string second = "  2  candidate  b  http://b:1  weight 2  share 66.67 %\n";
    if (ring.members()[ring.owner(fleet::ring_hash(target))].name == "b") {
      first = "  1  owner      b  http://b:1  weight 2  share 66.67 %\n";
      second = "  2  candidate  a  http://a:1  weight 1  share 33.33 %  zone north\n";
    }
    std::string key(target);
    EXPECT_EQ(where(settings, target), "key " + key + "\nplaced by " + key + "\n" + first + second);
  }
}

TEST(Where, takes_a_whole_url_as_the_edge_would) {
  Settings settings = fleet_settings();
  auto text = where(settings, "http://tv.example:7101/demo/x/../final/1.m4s?CMCD=br%3D1&b=2");
  ASSERT_TRUE(text);
  EXPECT_TRUE(text->starts_with("key /demo/final/1.m4s?b=2\n")) << *text;
  settings.key_host = true;
  settings.spread = "title";
  text = where(settings, "http://tv.example/demo/final/1.m4s");
  ASSERT_TRUE(text);
  EXPECT_TRUE(text->starts_with("key tv.example/demo/final/1.m4s\nplaced by tv.example/demo/final"))
      << *text;
}

TEST(Where, an_edge_without_a_fleet_owns_everything) {
  EXPECT_EQ(where(Settings{}, "http://tv.example"),
            "key /\nplaced by /\n  1  owner      edge-1  alone, no fleet\n");
}

TEST(Where, refuses_what_the_edge_refuses) {
  EXPECT_FALSE(where(Settings{}, "/../x"));
  EXPECT_FALSE(where(Settings{}, "demo/final"));
}

}  // namespace
}  // namespace relay::edge
