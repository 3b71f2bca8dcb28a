// Maps of files that were cut off: what reads them is told, and goes on.
#include "common/store/mapped_read.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>

#include "common/base/sanitizers.hpp"
#include "common/store/file_map.hpp"
#include "tests/support/temporary_folder.hpp"

namespace relay::store {
namespace {

constexpr std::size_t page = 4096;

/// A sanitizer had the signal before, so it comes to that: it reports and exits.
auto ended_by(int signal) {
  return [signal](int status) {
    if (sanitized) return WIFEXITED(status) && WEXITSTATUS(status) != 0;
    return WIFSIGNALED(status) && WTERMSIG(status) == signal;
  };
}

/// A map of four pages, of which the file has one.
struct CutFile {
  CutFile() {
    EXPECT_TRUE(write_atomically(path, std::string(4 * page, 'x')));
    map.emplace(std::move(*FileMap::open(path, 4 * page)));
    EXPECT_EQ(::truncate(path.c_str(), page), 0);
  }
  std::string_view bytes(std::size_t from, std::size_t count) const {
    return {map->base() + from, count};
  }
  tests::TemporaryFolder folder;
  std::filesystem::path path = folder / "file";
  std::optional<FileMap> map;
};

TEST(MappedRead, AMissingPageIsAnAnswer) {
  CutFile file;
  for (int again = 0; again < 3; ++again) {
    EXPECT_TRUE(touch_mapped(file.bytes(0, page)));
    EXPECT_FALSE(touch_mapped(file.bytes(0, page + 1)));
    EXPECT_FALSE(touch_mapped(file.bytes(3 * page, 1)));
    char copy[2 * page];
    EXPECT_TRUE(copy_mapped(copy, file.map->base(), page));
    EXPECT_EQ(copy[page - 1], 'x');
    EXPECT_FALSE(copy_mapped(copy, file.map->base(), 2 * page));
  }
  EXPECT_TRUE(touch_mapped({}));
  ASSERT_EQ(::truncate(file.path.c_str(), 4 * page), 0);
  EXPECT_TRUE(touch_mapped(file.bytes(0, 4 * page))) << "nothing was put in its place";
}

TEST(MappedRead, TheInnermostIsAsked) {
  CutFile file;
  bool inner = true, behind = false;
  bool outer = read_mapped([&] {
    inner = touch_mapped(file.bytes(page, 1));
    behind = true;
  });
  EXPECT_FALSE(inner);
  EXPECT_TRUE(behind && outer);
  auto read = [&] { (void)*static_cast<const volatile char*>(file.map->base() + page); };
  bool inside = false;
  EXPECT_FALSE(read_mapped([&] {
    inside = read_mapped([] {});
    read();
  })) << "the outer one, once the inner one is over";
  EXPECT_TRUE(inside);
}

TEST(MappedRead, ZerosStandForMissingPages) {
  CutFile file;
  MappedRead guard(file.map->base(), 4 * page);
  EXPECT_EQ(file.map->base()[page - 1], 'x');
  EXPECT_FALSE(guard.any_missing());
  EXPECT_EQ(file.map->base()[page], '\0');
  EXPECT_EQ(file.map->base()[3 * page + 5], '\0');
  EXPECT_TRUE(guard.any_missing());
}

TEST(MappedRead, AWildAddressIsAnAnswerWhereItIsAskedFor) {
  CutFile file;
  const char* nowhere = nullptr;
  {
    auto map = FileMap::open(file.path, page);
    ASSERT_TRUE(map);
    nowhere = map->base();
  }
  auto read = [&] { (void)*static_cast<const volatile char*>(nowhere); };
  for (int again = 0; again < 3; ++again) {
    EXPECT_FALSE(read_mapped(read, MappedRead::Faults::any_memory));
    EXPECT_FALSE(read_mapped([] { MappedRead::leave(); }));
  }
  MappedRead::leave();  // there is no place to go on at
  EXPECT_EXIT(read_mapped(read), ended_by(SIGSEGV), "");
}

using MappedReadDeathTest = ::testing::Test;

TEST(MappedReadDeathTest, WithoutAGuardTheProcessEnds) {
  CutFile file;
  EXPECT_FALSE(touch_mapped(file.bytes(page, 1)));
  auto read = [&](std::size_t at) {
    (void)*static_cast<const volatile char*>(file.map->base() + at);
  };
  EXPECT_EXIT(read(page), ended_by(SIGBUS), "");
  auto elsewhere = [&] {
    MappedRead guard(file.map->base(), page);
    read(2 * page);
  };
  EXPECT_EXIT(elsewhere(), ended_by(SIGBUS), "");
}

}  // namespace
}  // namespace relay::store
