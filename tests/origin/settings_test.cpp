#include "origin/settings.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/temporary_folder.hpp"

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

// load() also looks at what the file names.
TEST(Settings, ProgramsThatCannotBeStartedAreRefusedWithThePlace) {
  tests::TemporaryFolder folder;
  std::string file = folder.path() / "origin.toml", plain = folder.path() / "plain";
  std::ofstream(plain) << "not a program";
  auto message = [&](const std::string& text) {
    std::ofstream(file) << text;
    auto settings = load(file);
    return settings ? "valid" : settings.error().message.substr(file.size());
  };
  struct Row {
    std::string program, words;
  } rows[] = {{"/nonexistent/program", "does not exist"},
              {plain, "may not execute"},
              {folder.path(), "is not a file"},
              {"no-such-program-anywhere", "in no folder of PATH"},
              {"here/transcoder", "working directory"},
              {"", "is empty"}};
  for (const Row& row : rows) {
    std::string said = message("\n[jobs]\ntranscoder = \"" + row.program + "\"\n");
    EXPECT_TRUE(said.starts_with(":3:14: jobs.transcoder ")) << said;
    EXPECT_TRUE(said.contains(row.words)) << said;
    EXPECT_TRUE(said.contains("give the path")) << said;
  }
  EXPECT_EQ(message("[jobs]\ntranscoder = \"/bin/sh\"\n"), "valid");
  EXPECT_EQ(message("[jobs]\ntranscoder = \"sh\"\n"), "valid");
  std::string config = "[jobs]\ntranscoder = \"sh\"\ntranscoder_config = \"/nonexistent.toml\"\n";
  EXPECT_TRUE(message(config).starts_with(":3:21: jobs.transcoder_config ")) << message(config);
}

}  // namespace
}  // namespace relay::origin
