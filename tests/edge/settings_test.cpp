#include "edge/settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace relay::edge {
namespace {

using testing::HasSubstr;

std::string conf_path() {
  return RELAY_SOURCE_DIR "/conf/edge.toml";
}

std::string conf_text() {
  std::ifstream file(conf_path());
  return {std::istreambuf_iterator<char>(file), {}};
}

Result<Settings> parse(std::string_view text) {
  return parse_settings<Settings>(text, "edge.toml", describe);
}

std::string refusal(std::string_view text) {
  auto parsed = parse(text);
  return parsed ? "accepted" : parsed.error().message;
}

constexpr std::string_view upstream = "[[upstream]]\nurl = \"http://127.0.0.1:7000\"\n";

TEST(Settings, conf_file_shows_every_key_with_its_default_and_comment) {
  auto shown = load(conf_path());
  ASSERT_TRUE(shown) << shown.error().message;
  auto text = conf_text();
  auto defaults = document_settings<Settings>(describe);
  auto values = document_settings<Settings>(describe, *shown);
  ASSERT_EQ(defaults.size(), values.size());
  for (std::size_t i = 0; i < defaults.size(); ++i) {
    bool list = defaults[i].key == "upstream" || defaults[i].key == "fleet.members";
    if (!list) EXPECT_EQ(defaults[i].default_value, values[i].default_value) << defaults[i].key;
    EXPECT_THAT(text, HasSubstr(defaults[i].comment)) << defaults[i].key;
    std::string last = defaults[i].key.substr(defaults[i].key.rfind('.') + 1);
    EXPECT_THAT(text, HasSubstr(last == "upstream" ? "[[upstream]]" : last + " = "));
  }
}

TEST(Settings, conf_file_is_the_first_edge_of_the_demo) {
  auto settings = load(conf_path());
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->name, "edge-1");
  EXPECT_EQ(settings->upstreams.at(0).url, "http://127.0.0.1:7000");
  ASSERT_EQ(settings->members.size(), 3u);
  EXPECT_EQ(settings->members[2], (fleet::Member{"edge-3", "http://127.0.0.1:7103", 1.0}));
}

TEST(Settings, an_upstream_is_all_that_must_be_given) {
  auto settings = parse(upstream);
  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_TRUE(settings->members.empty());
  EXPECT_EQ(settings->cache_size_bytes, 2147483648u);
  EXPECT_EQ(settings->object_bytes_max, 268435456u);
  EXPECT_EQ(settings->flight_memory_bytes, 536870912u);
}

TEST(Settings, all_groups_are_read) {
  auto settings = parse(
      "[edge]\nname = \"paris\"\nlisten = [\"[::1]:80\", \"0.0.0.0:0\"]\naccess_log = \"-\"\n"
      "key_host = true\n[cache]\nsize = \"20MiB\"\n[timeouts]\nstall = \"5s\"\n"
      "[[upstream]]\nurl = \"http://a:1\"\n[[upstream]]\nurl = \"http://b:2\"\n"
      "[fleet]\nmembers = [{name = \"paris\", url = \"http://c:3\", weight = 2.5, "
      "zone = \"eu\"}]\nhops_max = 7\nspread = \"title\"\n");
  ASSERT_TRUE(settings) << settings.error().message;
  EXPECT_EQ(settings->listen, (std::vector<std::string>{"[::1]:80", "0.0.0.0:0"}));
  EXPECT_EQ(settings->access_log, "-");
  EXPECT_TRUE(settings->key_host);
  EXPECT_EQ(settings->cache_size_bytes, 20971520u);
  EXPECT_EQ(settings->stall_wait, std::chrono::seconds(5));
  EXPECT_EQ(settings->upstreams.at(1).url, "http://b:2");
  EXPECT_EQ(settings->members.at(0).weight, 2.5);
  EXPECT_EQ(settings->members.at(0).zone, "eu");
  EXPECT_EQ(settings->hops_max, 7);
  EXPECT_EQ(settings->spread, "title");
}

TEST(Settings, refusals_name_the_place_and_what_is_allowed) {
  struct {
    std::string text, message;
  } cases[] = {
      {"", "edge.toml:1:1: upstream is missing; give at least one [[upstream]] with its url"},
      {"[[upstream]]\nurl = \"ftp://x\"\n",
       "edge.toml:2:7: upstream[].url is refused: 'ftp://x' is not"},
      {"[edge]\nlisten = [\"localhost\"]\n",
       "edge.toml:2:10: edge.listen has 'localhost'; allowed"},
      {"[edge]\nlisten = [\"1.2.3.4:70000\"]\n", "edge.listen has '1.2.3.4:70000'"},
      {"[edge]\nlisten = []\n", "edge.listen is empty; give at least one address"},
      {"[edge]\nadmin = \"here:1\"\n", "edge.admin has 'here:1'; allowed is IP:PORT"},
      {"[edge]\nname = \"a b\"\n", "edge.toml:2:8: edge.name is refused: name 'a b'"},
      {"[edge]\nnam = \"a\"\n", "edge.toml:2:1: unknown key edge.nam; did you mean edge.name?"},
      {"[cache]\npath = \"\"\n", "cache.path is empty; name a folder"},
      {"[cache]\nsize = \"1MiB\"\n", "cache.size is 1MiB; allowed are sizes from 16MiB"},
      {"[fleet]\n", "fleet.members is empty; list every edge with this one"},
      {"[fleet]\nmembers = [{name = \"edge-2\", url = \"http://c:3\"}]\n",
       "fleet.members lacks this edge, 'edge-1' (edge.name)"},
      {"[fleet]\nmembers = [{name = \"edge-1\", url = \"http://c:3\"}, "
       "{name = \"edge-1\", url = \"http://d:3\"}]\n",
       "fleet.members has 'edge-1' twice; names must differ"},
      {"[fleet]\nmembers = [{name = \"edge-1\", url = \"http://c:3\", weight = 0}]\n",
       "fleet.members[].weight is 0; allowed are numbers from 0.001 to 1000"},
      {"[fleet]\nmembers = [{name = \"edge-1\", url = \"c:3\"}]\n", "fleet.members[].url"},
      {"[fleet]\nmembers = [{name = \"edge-1\", url = \"http://c:3\", zone = \"a b\"}]\n",
       "fleet.members[].zone is refused: zone 'a b'"},
      {"[fleet]\nspread = \"tile\"\nmembers = [{name = \"edge-1\", url = \"http://c:3\"}]\n",
       "fleet.spread"},
  };
  for (const auto& c : cases) {
    bool own_upstream = c.text.empty() || c.text.starts_with("[[");
    std::string text = own_upstream ? c.text : c.text + std::string(upstream);
    EXPECT_THAT(refusal(text), HasSubstr(c.message)) << c.text;
  }
}

TEST(Settings, a_bus_is_checked_without_being_asked) {
  auto with = [](std::string keys) {
    return refusal(std::string(upstream) +
                   "[fleet]\nmembers = [{name = \"edge-1\", url = \"http://a:1\"}]\n" + keys);
  };
  EXPECT_EQ(with("bus = \"tls://user:word@bus-1:4222,tls://user:word@bus-2\"\nbus_ttl = \"30s\"\n"
                 "bus_name = \"games\"\nbus_ca = \"/etc/bus.pem\"\n"),
            "accepted");
  EXPECT_THAT(with("bus = \"http://a:1\"\n"),
              HasSubstr("edge.toml:5:7: fleet.bus has 'http://a:1'"));
  EXPECT_THAT(with("bus = \"nats://user:opensesame@a:0\"\n"),
              testing::AllOf(HasSubstr("edge.toml:5:7: fleet.bus has 'nats://...@a:0'"),
                             testing::Not(HasSubstr("opensesame"))));
  EXPECT_THAT(with("bus_name = \"a.b\"\n"), HasSubstr("edge.toml:5:12: fleet.bus_name is refused"));
  EXPECT_THAT(with("bus_ttl = \"10ms\"\n"), HasSubstr("edge.toml:5:11: fleet.bus_ttl is \"10ms\""));
  EXPECT_THAT(refusal(std::string(upstream) + "[fleet]\nbus = \"nats://a\"\n"),
              HasSubstr("fleet.members is empty"));
}

}  // namespace
}  // namespace relay::edge
