// The check that holds conf files to the code must itself complain where it should.
#include "tests/support/conf_check.hpp"

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include "common/store/file.hpp"
#include "tests/support/temporary_folder.hpp"

namespace relay::tests {
namespace {

struct Member {
  std::string name = "x";
};

struct Sample {
  std::int64_t threads = 2;
  std::vector<Member> members;
};

void describe_member(Schema& schema, Member& into) {
  schema.text("name", into.name, "who");
}

void describe(Schema& schema, Sample& into) {
  schema.count("edge.threads", into.threads, "how many");
  schema.tables<Member>("member", into.members, describe_member, "the ring");
}

constexpr std::string_view edge_part = "[edge]\nthreads = 2  # how many\n";
constexpr std::string_view member_part = "# [[member]]  # the ring\n# name = \"x\"  # who\n";

/// The failures of the check on a file with this text, in one string.
std::string complaints(std::string_view text, const std::vector<std::string>& examples = {}) {
  TemporaryFolder folder;
  std::string path = (folder / "c.toml").string();
  EXPECT_TRUE(store::write_atomically(path, text));
  testing::TestPartResultArray results;
  {
    testing::ScopedFakeTestPartResultReporter reporter(
        testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &results);
    expect_conf_matches<Sample>(path, describe, examples);
  }
  std::string all;
  for (int i = 0; i < results.size(); ++i) all += results.GetTestPartResult(i).message();
  return all;
}

std::string both(std::string_view edge, std::string_view member) {
  return std::string(edge) + std::string(member);
}

TEST(ConfCheck, AcceptsAFileThatShowsEverything) {
  EXPECT_EQ(complaints(both(edge_part, member_part)), "");
  EXPECT_EQ(complaints(both("[edge]\n# how many\nthreads = 2\n", member_part)), "");
  EXPECT_EQ(complaints(both("[edge]\n# threads = 2  # how many\n", member_part)), "");
}

TEST(ConfCheck, NamesWhatIsMissingOrDifferent) {
  auto expect = [](std::string_view text, std::string_view part) {
    std::string all = complaints(text);
    EXPECT_NE(all.find(part), std::string::npos) << text << "\ngave: " << all;
  };
  expect(both("", member_part), "the key edge.threads is missing");
  expect(both(edge_part, ""), "the key member is missing");
  expect(both(edge_part, "# [[member]]  # the ring\n"), "the key member[].name is missing");
  expect(both("[edge]\nthreads = 3  # how many\n", member_part), "edge.threads");
  expect(both("[edge]\nthreads = 2  # how few\n", member_part), "in the code: how many");
  expect(both("[edge]\nthreads = 2\n", member_part), "in the code: how many");
  expect(both(edge_part, "[[member]]  # the ring\nname = \"y\"  # who\n"), "member");
  expect(both("[edge]\nthreads = 2  # how many\n# treads = 2\n", member_part),
         "unknown key edge.treads");
  expect("[edge]\ntreads = 2\n", "unknown key edge.treads; did you mean edge.threads?");
}

TEST(ConfCheck, AnExampleMayDifferFromTheDefault) {
  std::string text = both(edge_part, "[[member]]  # the ring\nname = \"y\"  # who\n");
  EXPECT_EQ(complaints(text, {"member"}), "");
}

}  // namespace
}  // namespace relay::tests
