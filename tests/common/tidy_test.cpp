// Style is a test: every file of the tree is held to the rules of tests/support/tidy_rules.hpp.
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "common/store/file.hpp"
#include "tests/support/tidy_rules.hpp"

namespace relay {
namespace {

using namespace tests::tidy;

bool is_skipped(const std::filesystem::path& path) {
  std::string name = path.filename().string();
  return name == "node_modules" || name == ".git" || name == "var" || name.starts_with("build") ||
         name == "package-lock.json";
}

bool is_text(const std::filesystem::path& path) {
  static const std::set<std::string> types = {"",     ".cpp",  ".hpp", ".js",  ".mjs",
                                              ".css", ".html", ".md",  ".txt", ".toml",
                                              ".sh",  ".json", ".in"};
  return types.contains(path.extension().string());
}

/// The tree without what is built, fetched or written by running it.
std::vector<File> read_tree() {
  std::filesystem::path root = RELAY_SOURCE_DIR;
  std::vector<File> files;
  for (std::filesystem::recursive_directory_iterator at(root), end; at != end; ++at) {
    if (is_skipped(at->path())) {
      if (at->is_directory()) at.disable_recursion_pending();
      continue;
    }
    std::string path = at->path().lexically_relative(root).generic_string();
    if (!at->is_regular_file() || !is_text(at->path())) continue;
    if (auto text = store::read_file(at->path())) files.push_back({path, std::move(*text)});
  }
  return files;
}

const std::vector<File>& tree() {
  static const std::vector<File> files = read_tree();
  return files;
}

void expect_clean(Offences (*rule)(const File&)) {
  EXPECT_GT(tree().size(), 50u) << "the tree was not found in " << RELAY_SOURCE_DIR;
  for (const File& file : tree()) {
    // These two spell out what the rules look for.
    bool is_rule = file.path.ends_with("tidy_rules.hpp") || file.path.ends_with("tidy_test.cpp");
    if (is_rule) continue;
    for (const std::string& offence : rule(file)) ADD_FAILURE() << offence;
  }
}

TEST(Tidy, IncludesGoDownOnly) {
  expect_clean(include_direction);
  auto fault = [](std::string path, std::string include) {
    return include_direction({std::move(path), "#include \"" + include + "\"\n"});
  };
  EXPECT_EQ(fault("common/base/log.cpp", "common/http/head.hpp"),
            Offences{"common/base/log.cpp:1: common/base may not include common/http/head.hpp"});
  for (auto [path, include] : std::vector<std::pair<std::string, std::string>>{
           {"common/store/file.cpp", "common/media/playlist.hpp"},
           {"common/media/job.cpp", "common/net/client.hpp"},
           {"edge/edge.cpp", "origin/origin.hpp"},
           {"origin/origin.cpp", "transcoder/ladder.hpp"},
           {"edge/cache/cache.cpp", "edge/edge.hpp"},
           {"edge/cache/cache.cpp", "edge/fleet/ring.hpp"},
           {"origin/jobs/job.cpp", "origin/catalog.hpp"},
           {"edge/edge.cpp", "settings.hpp"},
           {"edge/edge.cpp", "../common/base/log.hpp"}}) {
    EXPECT_EQ(fault(path, include).size(), 1u) << path << " " << include;
  }
  for (auto [path, include] : std::vector<std::pair<std::string, std::string>>{
           {"edge/edge.cpp", "edge/cache/cache.hpp"},
           {"edge/cache/cache.cpp", "common/store/lmdb.hpp"},
           {"common/net/client.cpp", "common/http/head.hpp"},
           {"tests/edge/edge_test.cpp", "origin/origin.hpp"}}) {
    EXPECT_EQ(fault(path, include), Offences{}) << path << " " << include;
  }
}

TEST(Tidy, CodecAndAsioHeadersStayInTheirRooms) {
  expect_clean(foreign_headers);
  EXPECT_EQ(foreign_headers({"origin/x.cpp", "#include <libavformat/avformat.h>\n"}).size(), 1u);
  EXPECT_EQ(foreign_headers({"edge/x.cpp", "#include <vips/vips.h>\n"}).size(), 1u);
  EXPECT_EQ(foreign_headers({"origin/x.cpp", "#include <boost/asio.hpp>\n"}).size(), 1u);
  EXPECT_EQ(foreign_headers({"transcoder/x.cpp", "#include <libavutil/a.h>\n"}), Offences{});
  EXPECT_EQ(foreign_headers({"common/net/x.cpp", "#include <boost/asio.hpp>\n"}), Offences{});
}

TEST(Tidy, EveryFileAllowedAsioUsesIt) {
  for (std::string_view path : asio_users) {
    auto file = std::ranges::find(tree(), path, &File::path);
    ASSERT_NE(file, tree().end()) << path << " is gone; take it off the list";
    EXPECT_TRUE(file->text.contains("#include <boost/asio")) << path << " does not need its place";
  }
}

TEST(Tidy, NamespacesAreFolders) {
  expect_clean(namespace_is_folder);
  auto faults = [](std::string path, std::string name) {
    return namespace_is_folder({std::move(path), "namespace " + name + " {\n"}).size();
  };
  EXPECT_EQ(faults("edge/cache/x.hpp", "relay::edge"), 1u);
  EXPECT_EQ(faults("common/http/x.hpp", "relay::common::http"), 1u);
  EXPECT_EQ(faults("edge/x.hpp", "relay::edges"), 1u);
  EXPECT_EQ(faults("edge/cache/x.hpp", "relay::edge::cache"), 0u);
  EXPECT_EQ(faults("common/base/x.hpp", "relay::limits"), 0u);
  EXPECT_EQ(faults("common/http/x.hpp", "relay::http"), 0u);
}

TEST(Tidy, FilesAreShortAndLinesFit) {
  expect_clean(length_and_width);
  EXPECT_EQ(length_and_width({"edge/x.cpp", std::string(101, 'x') + "\n"}).size(), 1u);
  EXPECT_EQ(length_and_width({"edge/x.cpp", std::string(401, '\n')}).size(), 1u);
  std::string dots;
  for (int i = 0; i < 100; ++i) dots += "…";
  EXPECT_EQ(length_and_width({"edge/x.cpp", dots + "\n"}), Offences{});
}

TEST(Tidy, WhiteSpaceIsClean) {
  expect_clean(white_space);
  EXPECT_EQ(white_space({"conf/x.toml", "a = 1 \n\tb\nc\r\nd\n"}).size(), 3u);
  EXPECT_EQ(white_space({"conf/x.toml", "a"}).size(), 1u);
}

TEST(Tidy, NothingIsLeftOver) {
  expect_clean(leftovers);
  EXPECT_EQ(leftovers({"edge/x.cpp", "// TODO: later\n"}),
            Offences{"edge/x.cpp:1: TODO left over"});
}

TEST(Tidy, BannedCallsAreAbsent) {
  expect_clean(banned_calls);
  EXPECT_EQ(banned_calls({"common/net/x.cpp", "co_spawn(io, task, detached);\n"}).size(), 1u);
  EXPECT_EQ(banned_calls({"edge/x.cpp", "asio::co_spawn(io, task, handler);\n"}).size(), 1u);
  EXPECT_EQ(banned_calls({"tests/x.cpp", "std::this_thread::sleep_for(1s);\n"}).size(), 1u);
  EXPECT_EQ(banned_calls({"edge/x.cpp", "// a detached task\n"}), Offences{});
}

TEST(Tidy, NoPathOfOneMachine) {
  expect_clean(machine_paths);
  EXPECT_EQ(machine_paths({"run", "cd /home/me/relay\n"}).size(), 1u);
  EXPECT_EQ(machine_paths({"run", "cp \"/tmp/x\"\n"}).size(), 1u);
  EXPECT_EQ(machine_paths({"run", "cp $base/tmp/x https://example.com/home/\n"}), Offences{});
}

}  // namespace
}  // namespace relay
