#include "origin/access.hpp"

#include <gtest/gtest.h>

#include "origin/intake/sha256.hpp"
#include "origin/reload.hpp"

namespace relay::origin {
namespace {

std::vector<TenantSettings> two_tenants() {
  return {{"demo", {intake::sha256_hex("old"), intake::sha256_hex("new")}},
          {"other", {intake::sha256_hex("theirs")}},
          {"closed", {}}};
}

std::string outcome(const Access& access, const char* authorization, const char* tenant) {
  http::Headers headers;
  if (authorization) headers.add("Authorization", authorization);
  auto allowed = access.check(headers, tenant);
  return allowed ? "allowed" : name(allowed.error().kind);
}

struct Case {
  const char* authorization;
  const char* tenant;
  const char* outcome;
};

TEST(Access, EveryKeyOpensItsTenantOnly) {
  Access access(two_tenants());
  const Case cases[] = {
      {"Bearer old", "demo", "allowed"},
      {"Bearer new", "demo", "allowed"},
      {"bearer new", "demo", "allowed"},
      {"Bearer theirs", "demo", "forbidden"},
      {"Bearer old", "other", "forbidden"},
      {"Bearer old", "closed", "forbidden"},
      {"Bearer old", "unknown", "forbidden"},
      {"Bearer wrong", "demo", "denied"},
      {"Bearer ", "demo", "denied"},
      {"Basic old", "demo", "denied"},
      {nullptr, "demo", "denied"},
      {"Bearer wrong", "closed", "denied"},
  };
  for (const Case& each : cases) {
    EXPECT_EQ(outcome(access, each.authorization, each.tenant), each.outcome)
        << (each.authorization ? each.authorization : "none") << " for " << each.tenant;
  }
}

TEST(Access, TwoKeysAreNone) {
  Access access(two_tenants());
  http::Headers headers{{"Authorization", "Bearer old"}, {"Authorization", "Bearer old"}};
  EXPECT_FALSE(access.check(headers, "demo"));
}

TEST(Access, ReplacedKeysHoldAtOnce) {
  Access access(two_tenants());
  access.replace({{"demo", {intake::sha256_hex("newest")}}});
  EXPECT_EQ(outcome(access, "Bearer old", "demo"), "denied");
  EXPECT_EQ(outcome(access, "Bearer newest", "demo"), "allowed");
}

TEST(Reload, SaysWhatChanged) {
  std::vector<TenantSettings> now = {{"demo", {"x"}}, {"third", {}}, {"closed", {}}};
  auto lines = changes(two_tenants(), now, {"http://a", "http://b"}, {"http://b", "http://c"});
  EXPECT_EQ(lines, (std::vector<std::string>{"keys of demo changed", "tenant third added",
                                             "tenant other removed", "edge http://c added",
                                             "edge http://a removed"}));
  EXPECT_TRUE(changes(now, now, {"http://a"}, {"http://a"}).empty());
}

TEST(Reload, SaysWhatWaitsForARestart) {
  Settings started;
  Settings read = started;
  read.tenants = two_tenants();
  read.edges_admin = {"http://a"};
  read.log_level = "debug";
  EXPECT_TRUE(waiting_keys(started, read).empty());
  read.uploads.size_max = 1;
  read.path = "elsewhere";
  EXPECT_EQ(waiting_keys(started, read),
            (std::vector<std::string>{"origin.path", "uploads.size_max"}));
}

}  // namespace
}  // namespace relay::origin
