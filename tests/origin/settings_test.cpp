#include "origin/settings.hpp"

#include <gtest/gtest.h>

namespace relay::origin {
namespace {

Result<Settings> parse(std::string_view text) {
  return parse_settings<Settings>(text, "origin.toml", describe);
}

TEST(Settings, TenantsHaveNamesAndHashes) {
  std::string hash(64, 'a');
  auto settings = parse("[[tenants]]\nname = \"demo\"\nkey_sha256 = [\"" + hash + "\"]\n");
  ASSERT_TRUE(settings) << settings.error().message;
  ASSERT_EQ(settings->tenants.size(), 1u);
  EXPECT_EQ(settings->tenants[0].name, "demo");
  EXPECT_EQ(settings->tenants[0].key_sha256, std::vector<std::string>{hash});
}

struct Refused {
  const char* text;
  const char* place;
  const char* word;
};

TEST(Settings, RefusesWithThePlace) {
  const Refused cases[] = {
      {"[[tenants]]\nname = \"api\"\n", "origin.toml:2:", "api"},
      {"[[tenants]]\nname = \"a b\"\n", "origin.toml:2:", "a b"},
      {"[[tenants]]\nname = \"demo\"\nkey_sha256 = [\"sesame\"]\n", "origin.toml:3:", "SHA-256"},
      {"[[tenants]]\nname = \"a\"\n[[tenants]]\nname = \"a\"\n", "origin.toml:", "twice"},
      {"[edges]\nadmin = [\"ftp://x\"]\n", "origin.toml:2:", "ftp"},
      {"[jobs]\nconcurrent_max = 0\n", "origin.toml:2:", "concurrent_max"},
      {"[uploads]\nsize = \"1GiB\"\n", "origin.toml:2:", "size"},
      {"[log]\nlevel = \"loud\"\n", "origin.toml:2:", "warn"},
  };
  for (const Refused& each : cases) {
    auto settings = parse(each.text);
    ASSERT_FALSE(settings) << each.text;
    EXPECT_TRUE(settings.error().message.starts_with(each.place)) << settings.error().message;
    EXPECT_TRUE(settings.error().message.contains(each.word)) << settings.error().message;
  }
}

}  // namespace
}  // namespace relay::origin
