#include "common/store/redo_log.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/temporary_folder.hpp"

namespace relay::store {
namespace {

constexpr std::size_t size_bytes = 4096;

class RedoLogFile : public testing::Test {
 protected:
  RedoLog::Opened open() {
    auto opened = RedoLog::open(path, size_bytes);
    if (!opened) throw std::runtime_error(opened.error().message);
    return std::move(*opened);
  }
  /// As a start finds them.
  std::vector<std::string> found() {
    std::vector<std::string> texts;
    for (auto& record : open().records) texts.push_back(std::move(record.bytes));
    return texts;
  }
  void overwrite(std::size_t at, std::string_view bytes) {
    auto file = open_write(path);
    ASSERT_TRUE(file && write_all_at(file->get(), bytes, at));
  }
  using Texts = std::vector<std::string>;
  tests::TemporaryFolder folder;
  std::filesystem::path path = folder / "log";
};

TEST_F(RedoLogFile, GivesBackWhatWasAppended) {
  EXPECT_EQ(found(), Texts{});
  auto log = open().log;
  ASSERT_TRUE(log.append("one"));
  ASSERT_TRUE(log.append(""));
  ASSERT_TRUE(log.append(std::string(1000, 'x')));
  EXPECT_EQ(found(), (Texts{"one", "", std::string(1000, 'x')}));
  auto again = open();
  EXPECT_EQ(again.log.last(), 3u);
  ASSERT_TRUE(again.log.append("four")) << "it goes on behind them";
  EXPECT_EQ(found().size(), 4u);
  EXPECT_EQ(open().records.back().number, 4u);
}

TEST_F(RedoLogFile, AnUnfinishedRecordIsLeftOutWithAllBehindIt) {
  std::size_t ends[3];
  auto log = open().log;
  for (std::size_t& end : ends) {
    ASSERT_TRUE(log.append("a record of some length"));
    end = log.used_bytes();
  }
  auto whole = read_file(path).value();
  for (std::size_t at = ends[1]; at < ends[2]; ++at) {
    overwrite(0, whole);
    overwrite(at, std::string(ends[2] - at, '\0'));
    EXPECT_EQ(found().size(), 2u) << at;
  }
  overwrite(0, whole);
}

TEST_F(RedoLogFile, OneBeforeTheLastThatIsDamagedIsTold) {
  auto log = open().log;
  ASSERT_TRUE(log.append("a record of some length"));
  std::size_t end = log.used_bytes();
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(log.append("a record of some length"));
  overwrite(end + 40, "?");
  auto opened = RedoLog::open(path, size_bytes);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::corrupt);
}

TEST_F(RedoLogFile, WhatWasClearedDoesNotComeBackBehindWhatFollows) {
  auto log = open().log;
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(log.append("old " + std::to_string(i)));
  log.clear();
  EXPECT_EQ(log.used_bytes(), 0u);
  EXPECT_EQ(log.last(), 5u);
  ASSERT_TRUE(log.append("new 0"));  // as long as those before
  EXPECT_EQ(found(), Texts{"new 0"});
  ASSERT_TRUE(log.append("and a longer one"));
  auto opened = open();
  EXPECT_EQ(opened.records.size(), 2u);
  EXPECT_EQ(opened.records.front().number, 6u);
}

TEST_F(RedoLogFile, IsFullBeforeItsEnd) {
  auto log = open().log;
  int count = 0;
  for (; log.takes(100); ++count) ASSERT_TRUE(log.append(std::string(100, 'x')));
  EXPECT_GT(count, 20);
  EXPECT_LE(log.used_bytes(), size_bytes);
  EXPECT_EQ(found().size(), static_cast<std::size_t>(count));
  EXPECT_EQ(read_file(path).value().size(), size_bytes);
  log.clear();
  EXPECT_TRUE(log.takes(100));
  EXPECT_FALSE(log.takes(size_bytes));
}

TEST_F(RedoLogFile, OneOfAnotherSizeIsDamaged) {
  ASSERT_TRUE(open().log.append("one"));
  std::filesystem::resize_file(path, 100);
  auto opened = RedoLog::open(path, size_bytes);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind, ErrorKind::corrupt);
}

}  // namespace
}  // namespace relay::store
