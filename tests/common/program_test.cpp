#include "common/base/program.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace relay {
namespace {

struct Outcome {
  std::optional<int> status;
  Arguments arguments;
  std::string out, err;
};

Outcome run(std::vector<std::string> words, bool needs_config = true,
            std::vector<OwnOption> own = {}) {
  words.insert(words.begin(), "program");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  Program program{"torchrelay-edge", "serves viewers", "1.2.3", needs_config, own};
  Outcome outcome;
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  outcome.status =
      parse_arguments(static_cast<int>(argv.size()), argv.data(), program, outcome.arguments);
  outcome.out = testing::internal::GetCapturedStdout();
  outcome.err = testing::internal::GetCapturedStderr();
  return outcome;
}

TEST(Program, TakesItsConfig) {
  for (auto words : {std::vector<std::string>{"--config", "a.toml", "--check"},
                     std::vector<std::string>{"--check", "--config=a.toml"}}) {
    Outcome outcome = run(words);
    EXPECT_EQ(outcome.status, std::nullopt);
    EXPECT_EQ(outcome.arguments.config, "a.toml");
    EXPECT_TRUE(outcome.arguments.check);
  }
}

TEST(Program, AnswersHelpAndVersion) {
  Outcome version = run({"--version"});
  EXPECT_EQ(version.status, 0);
  EXPECT_EQ(version.out, "torchrelay-edge 1.2.3\n");
  Outcome help = run({"--help"});
  EXPECT_EQ(help.status, 0);
  EXPECT_TRUE(help.out.starts_with("torchrelay-edge: serves viewers\n"));
  EXPECT_NE(help.out.find("--config FILE"), std::string::npos);
}

TEST(Program, MayHaveOptionsOfItsOwn) {
  std::vector<OwnOption> own{{"--where", "URL", "say who owns it"}, {"--put", "FILE", "put it"}};
  Outcome given = run({"--where", "/a", "--config", "a.toml"}, true, own);
  EXPECT_EQ(given.status, std::nullopt);
  EXPECT_EQ(given.arguments.own, (decltype(given.arguments.own){{"--where", "/a"}}));
  EXPECT_EQ(given.arguments.config, "a.toml");
  EXPECT_NE(run({"--help"}, true, own)
                .out.find("  --where URL    say who owns it\n  --put FILE     put it\n"),
            std::string::npos);
  EXPECT_EQ(run({"--where"}, true, own).err,
            "torchrelay-edge: --where needs URL behind it; see torchrelay-edge --help\n");
  EXPECT_EQ(run({"--where", "/a"}).status, 2);
}

TEST(Program, RefusesInOneSentence) {
  EXPECT_EQ(run({"--confg", "x"}).err,
            "torchrelay-edge: unknown argument '--confg'; see torchrelay-edge --help\n");
  EXPECT_EQ(run({"--config"}).err,
            "torchrelay-edge: --config needs a file name behind it; see torchrelay-edge --help\n");
  EXPECT_EQ(run({}).err, "torchrelay-edge: --config FILE is missing; see torchrelay-edge --help\n");
  EXPECT_EQ(run({"file.toml"}).status, 2);
  EXPECT_EQ(run({}, false).status, std::nullopt);
}

TEST(Program, ReportsSettings) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(report_settings_error({.message = "a.toml:1:2: unknown key x"}), 1);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "a.toml:1:2: unknown key x\n");
  testing::internal::CaptureStdout();
  EXPECT_EQ(report_settings_valid({.config = "a.toml"}), 0);
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "a.toml: valid\n");
}

}  // namespace
}  // namespace relay
