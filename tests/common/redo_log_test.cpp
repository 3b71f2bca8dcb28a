#include "common/store/redo_log.hpp"

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <random>
#include <string>
#include <vector>

#include "tests/support/temporary_folder.hpp"

namespace relay::store {
namespace {

/// Of this program: its own pread stands before libc's.
std::atomic<bool> read_fails{false};

constexpr std::size_t frame_bytes = 512;
constexpr std::size_t size_bytes = 16 * frame_bytes;

class RedoLogFile : public testing::Test {
 protected:
  RedoLog::Opened open(std::uint64_t taken = 0) {
    auto opened = RedoLog::open(path, size_bytes, taken);
    if (!opened) throw std::runtime_error(opened.error().message);
    return std::move(*opened);
  }
  /// As a start finds them.
  std::vector<std::string> found(std::uint64_t taken = 0) {
    std::vector<std::string> texts;
    for (auto& record : open(taken).records) texts.push_back(std::move(record.bytes));
    return texts;
  }
  bool is_corrupt(std::uint64_t taken = 0) {
    auto opened = RedoLog::open(path, size_bytes, taken);
    return !opened && opened.error().kind == ErrorKind::corrupt;
  }
  void overwrite(std::size_t at, std::string_view bytes) {
    auto file = open_write(path);
    ASSERT_TRUE(file && write_all_at(file->get(), bytes, at));
  }
  using Texts = std::vector<std::string>;
  const std::string long_text = std::string(1000, 'x');  // three frames
  tests::TemporaryFolder folder;
  std::filesystem::path path = folder / "log";
};

TEST_F(RedoLogFile, GivesBackWhatWasAppended) {
  EXPECT_EQ(found(), Texts{});
  auto log = open().log;
  ASSERT_TRUE(log.append("one"));
  ASSERT_TRUE(log.append(""));
  ASSERT_TRUE(log.append(long_text));
  EXPECT_EQ(found(), (Texts{"one", "", long_text}));
  auto again = open();
  EXPECT_EQ(again.log.last(), 3u);
  EXPECT_FALSE(again.log.all_taken());
  ASSERT_TRUE(again.log.append("four")) << "it goes on behind them";
  EXPECT_EQ(found().size(), 4u);
  EXPECT_EQ(open().records.back().number, 4u);
}

TEST_F(RedoLogFile, WhatWasTakenOverIsNotGivenBack) {
  auto log = open().log;
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(log.append("old " + std::to_string(i)));
  EXPECT_EQ(found(5), Texts{});
  EXPECT_TRUE(open(5).log.all_taken());
  log.clear();
  EXPECT_TRUE(log.all_taken());
  EXPECT_EQ(log.used_bytes(), 0u);
  EXPECT_EQ(log.last(), 5u);
  ASSERT_TRUE(log.append("new 0"));  // as long as those before
  EXPECT_EQ(found(5), Texts{"new 0"});
  ASSERT_TRUE(log.append(long_text));
  auto opened = open(5);
  EXPECT_EQ(opened.records.size(), 2u);
  EXPECT_EQ(opened.records.front().number, 6u);
}

/// Every state that a disk may leave of an append that was cut off: any of its frames.
TEST_F(RedoLogFile, AnUnfinishedRecordIsNoneWhateverLiesUnderIt) {
  for (std::uint64_t taken : {0u, 9u}) {
    std::filesystem::remove(path);
    auto log = open().log;
    while (log.last() < taken)
      ASSERT_TRUE(log.append(log.last() % 2 ? "old" : std::string(500, 'o')));
    log.clear();
    ASSERT_TRUE(log.append("first"));
    auto before = read_file(path).value();
    ASSERT_TRUE(log.append(long_text));
    auto after = read_file(path).value();
    for (std::size_t kept = 0; kept < 8; ++kept) {
      std::string mixed = before;
      for (std::size_t part = 0; part < 3; ++part) {
        std::size_t at = (1 + part) * frame_bytes;
        if (kept >> part & 1) mixed.replace(at, frame_bytes, after, at, frame_bytes);
      }
      overwrite(0, mixed);
      EXPECT_EQ(found(taken), kept == 7 ? (Texts{"first", long_text}) : Texts{"first"}) << kept;
      auto again = open(taken).log;
      EXPECT_EQ(again.last(), taken + (kept == 0 ? 1 : 2)) << "no number is used twice";
      EXPECT_EQ(again.takes(1), kept == 0 || kept == 7) << "nobody knows what the disk has";
    }
  }
}

TEST_F(RedoLogFile, EveryFlippedBitOfARecordIsTold) {
  auto log = open().log;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(log.append("taken over"));
  log.clear();
  ASSERT_TRUE(log.append("a record of some length"));
  ASSERT_TRUE(log.append(long_text));
  std::size_t end = log.used_bytes();
  ASSERT_EQ(end, 4 * frame_bytes);
  const std::string whole = read_file(path).value();
  for (std::size_t at = 0; at < end; ++at) {
    std::string flipped(1, static_cast<char>(whole[at] ^ 1 << at % 8));
    overwrite(at, flipped);
    EXPECT_TRUE(is_corrupt(3)) << at;
    overwrite(at, whole.substr(at, 1));
  }
  EXPECT_EQ(found(3).size(), 2u);
}

TEST_F(RedoLogFile, FramesThatAreLostOrInAnothersPlaceAreTold) {
  auto log = open().log;
  for (int i = 0; i < 6; ++i) ASSERT_TRUE(log.append("record " + std::to_string(i)));
  const std::string whole = read_file(path).value();
  for (std::size_t place = 0; place < 6; ++place) {
    for (std::size_t from = 0; from < size_bytes / frame_bytes; ++from) {
      if (from == place) continue;
      overwrite(place * frame_bytes, whole.substr(from * frame_bytes, frame_bytes));
      EXPECT_TRUE(is_corrupt()) << place << " " << from;
    }
    for (char byte : {'\0', '\xff'}) {
      overwrite(place * frame_bytes, std::string(frame_bytes, byte));
      EXPECT_TRUE(is_corrupt()) << place;
    }
    overwrite(0, whole);
  }
  overwrite(0, std::string(size_bytes, '\0'));
  EXPECT_TRUE(is_corrupt());
}

TEST_F(RedoLogFile, AnEarlierStateOfARecordBeforeTheLastIsTold) {
  auto log = open().log;
  ASSERT_TRUE(log.append("one"));
  const std::string before = read_file(path).value();
  ASSERT_TRUE(log.append("two"));
  ASSERT_TRUE(log.append("three"));
  overwrite(frame_bytes, before.substr(frame_bytes, frame_bytes));
  EXPECT_TRUE(is_corrupt());
}

TEST_F(RedoLogFile, WhatWasNeverWrittenOrIsTakenOverMayBeAnything) {
  auto log = open().log;
  for (int i = 0; i < 6; ++i) ASSERT_TRUE(log.append("record " + std::to_string(i)));
  log.clear();
  ASSERT_TRUE(log.append("seven"));
  std::mt19937 random(5);
  for (int i = 0; i < 200; ++i) {
    std::size_t at = 2 * frame_bytes + random() % (size_bytes - 2 * frame_bytes);
    overwrite(at, std::string(1, static_cast<char>(random())));
    EXPECT_EQ(found(6), Texts{"seven"}) << at;
  }
}

TEST_F(RedoLogFile, RecordsThatTheOwnerDoesNotKnowOfAreTold) {
  auto log = open().log;
  for (int i = 0; i < 6; ++i) ASSERT_TRUE(log.append("record " + std::to_string(i)));
  log.clear();
  ASSERT_TRUE(log.append("seven"));
  EXPECT_TRUE(is_corrupt(4));
}

TEST_F(RedoLogFile, IsFullBeforeItsEnd) {
  auto log = open().log;
  int count = 0;
  for (; log.takes(100); ++count) ASSERT_TRUE(log.append(std::string(100, 'x')));
  EXPECT_EQ(count, 16);
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
  EXPECT_TRUE(is_corrupt());
}

TEST_F(RedoLogFile, OneThatTheDiskDoesNotGiveIsNotDamaged) {
  ASSERT_TRUE(open().log.append("one"));
  read_fails = true;
  auto failed = RedoLog::open(path, size_bytes, 0);
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().kind, ErrorKind::corrupt);
  EXPECT_TRUE(failed.error().message.starts_with("cannot open " + path.string()))
      << failed.error().message;
  EXPECT_EQ(found(), Texts{"one"});
}

}  // namespace
}  // namespace relay::store

extern "C" __attribute__((used)) ssize_t pread(int fd, void* bytes, size_t count, off_t at) {
  if (relay::store::read_fails.exchange(false)) {
    errno = EIO;
    return -1;
  }
  return ::syscall(SYS_pread64, fd, bytes, count, at);
}
