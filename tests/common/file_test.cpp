#include "common/store/file.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "tests/support/temporary_folder.hpp"

namespace relay::store {
namespace {

using relay::tests::TemporaryFolder;

std::size_t entries_in(const std::filesystem::path& folder) {
  auto begin = std::filesystem::directory_iterator(folder);
  return static_cast<std::size_t>(std::distance(begin, std::filesystem::directory_iterator()));
}

TEST(File, CreatesMissingFoldersAndReadsBackWhatWasWritten) {
  TemporaryFolder folder;
  auto fd = create_new(folder / "a/b/c.bin");
  ASSERT_TRUE(fd) << fd.error().message;
  ASSERT_TRUE(write_all(fd->get(), "hello "));
  ASSERT_TRUE(write_all(fd->get(), "world"));
  ASSERT_TRUE(sync(fd->get()));
  EXPECT_EQ(*size_of(fd->get()), 11u);
  EXPECT_EQ(*read_exactly(fd->get(), 6, 5), "world");
  EXPECT_EQ(*read_file(folder / "a/b/c.bin"), "hello world");
}

TEST(File, WritesAtAnOffsetAndLeavesTheRestAlone) {
  TemporaryFolder folder;
  auto fd = create_new(folder / "f");
  ASSERT_TRUE(fd);
  ASSERT_TRUE(write_all(fd->get(), "0123456789"));
  ASSERT_TRUE(write_all_at(fd->get(), "ab", 3));
  EXPECT_EQ(*read_file(folder / "f"), "012ab56789");
}

TEST(File, CreatingAnExistingFileIsAConflict) {
  TemporaryFolder folder;
  ASSERT_TRUE(write_atomically(folder / "f", "first"));
  auto again = create_new(folder / "f");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, ErrorKind::conflict);
  EXPECT_EQ(*read_file(folder / "f"), "first");
}

TEST(File, AMissingFileIsNotFound) {
  TemporaryFolder folder;
  auto missing = open_read(folder / "nothing");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::not_found);
  EXPECT_EQ(missing.error().source, ErrorSource::disk);
}

TEST(File, ReadingBeyondTheEndIsCorrupt) {
  TemporaryFolder folder;
  ASSERT_TRUE(write_atomically(folder / "f", "12345"));
  auto fd = open_read(folder / "f");
  ASSERT_TRUE(fd);
  auto bytes = read_exactly(fd->get(), 3, 3);
  ASSERT_FALSE(bytes);
  EXPECT_EQ(bytes.error().kind, ErrorKind::corrupt);
}

TEST(File, PublishMovesAWholeFileIntoANewFolder) {
  TemporaryFolder folder;
  ASSERT_TRUE(write_atomically(folder / "part", "bytes"));
  ASSERT_TRUE(publish(folder / "part", folder / "x/y/final"));
  EXPECT_EQ(*read_file(folder / "x/y/final"), "bytes");
  EXPECT_FALSE(std::filesystem::exists(folder / "part"));
}

TEST(File, WriteAtomicallyReplacesAndLeavesNothingElse) {
  TemporaryFolder folder;
  ASSERT_TRUE(write_atomically(folder / "f", "old"));
  ASSERT_TRUE(write_atomically(folder / "f", "new"));
  EXPECT_EQ(*read_file(folder / "f"), "new");
  EXPECT_EQ(entries_in(folder.path()), 1u);
}

TEST(File, RemovingWhatIsNotThereIsFine) {
  TemporaryFolder folder;
  ASSERT_TRUE(write_atomically(folder / "f", "x"));
  EXPECT_TRUE(remove_file(folder / "f"));
  EXPECT_TRUE(remove_file(folder / "f"));
  EXPECT_FALSE(std::filesystem::exists(folder / "f"));
}

TEST(File, AFileWhereAFolderIsNeededIsAnError) {
  TemporaryFolder folder;
  ASSERT_TRUE(write_atomically(folder / "f", "x"));
  EXPECT_FALSE(make_folders(folder / "f/inner"));
  EXPECT_FALSE(create_new(folder / "f/inner"));
}

TEST(File, FullDisksAreNoSpaceAndWorthRetrying) {
  for (int code : {ENOSPC, EDQUOT}) {
    Error error = disk_error("cannot write", code);
    EXPECT_EQ(error.kind, ErrorKind::no_space);
    EXPECT_TRUE(error.retry);
  }
  EXPECT_EQ(disk_error("cannot write", EIO).kind, ErrorKind::internal);
}

TEST(File, WritingToAFullDeviceIsNoSpace) {
  UniqueFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  if (!full) GTEST_SKIP() << "this machine has no /dev/full";
  auto written = write_all(full.get(), "x");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().kind, ErrorKind::no_space);
}

TEST(File, AWriteCutShortByALimitLeavesTheOldFile) {
  TemporaryFolder folder;
  ASSERT_TRUE(write_atomically(folder / "f", "old"));
  pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    rlimit limit{1000, 1000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    auto written = write_atomically(folder / "f", std::string(5000, 'n'));
    ::_exit(!written && written.error().kind == ErrorKind::too_large ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0) << "the write should have failed with too_large";
  EXPECT_EQ(*read_file(folder / "f"), "old");
  EXPECT_EQ(entries_in(folder.path()), 1u) << "a temporary file was left behind";
}

TEST(File, AKilledWriterNeverShowsAPartOfAFile) {
  TemporaryFolder folder;
  const std::string old_bytes(300'000, 'o'), new_bytes(300'000, 'n');
  ASSERT_TRUE(write_atomically(folder / "f", old_bytes));
  for (int round = 0; round < 5; ++round) {
    pid_t child = ::fork();
    if (child == 0) {
      while (true) {
        (void)write_atomically(folder / "f", new_bytes);
        (void)write_atomically(folder / "f", old_bytes);
      }
    }
    for (int i = 0; i < 20; ++i) {
      auto seen = read_file(folder / "f");
      ASSERT_TRUE(seen);
      ASSERT_TRUE(*seen == old_bytes || *seen == new_bytes);
    }
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    auto left = read_file(folder / "f");
    ASSERT_TRUE(left);
    EXPECT_TRUE(*left == old_bytes || *left == new_bytes);
  }
}

TEST(UniqueFd, ClosesOnceAndOnMove) {
  TemporaryFolder folder;
  auto first = create_new(folder / "f");
  ASSERT_TRUE(first);
  int number = first->get();
  UniqueFd moved = std::move(*first);
  EXPECT_FALSE(*first);
  EXPECT_EQ(moved.get(), number);
  moved = UniqueFd();
  EXPECT_EQ(::fcntl(number, F_GETFD), -1);
}

TEST(File, FreeBytesOfAMissingFolderIsAnError) {
  TemporaryFolder folder;
  EXPECT_GT(*free_bytes(folder.path()), 0u);
  EXPECT_FALSE(free_bytes(folder / "missing"));
}

}  // namespace
}  // namespace relay::store
