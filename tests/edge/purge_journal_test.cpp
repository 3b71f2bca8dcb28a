#include "edge/purge_journal.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <fstream>

#include "tests/support/temporary_folder.hpp"

namespace relay::edge {
namespace {

/// Of this program, counted: its own functions stand before libc's.
std::atomic<int> flushes{0};
std::atomic<bool> log_fails{false};

constexpr WallTime moment{std::chrono::milliseconds{784111777250}};

const Purge purges[] = {{PurgeBy::url, "/a?b", "host:80", false},
                        {PurgeBy::prefix, "/" + std::string(8000, 'x'), {}, true},
                        {PurgeBy::tag, "red", {}, false},
                        {PurgeBy::tenant, "demo", {}, true},
                        {PurgeBy::all, {}, {}, false}};

PurgeJournal::Opened open(const std::filesystem::path& folder) {
  auto opened = PurgeJournal::open(folder);
  if (!opened) ADD_FAILURE() << opened.error().message;
  return opened ? std::move(*opened) : PurgeJournal::Opened{};
}

std::vector<NumberedPurge> one(NumberedPurge purge) {
  return {std::move(purge)};
}

/// What a killed program leaves.
std::filesystem::path copy_of(const std::filesystem::path& folder) {
  auto copy = folder.parent_path() / "copy";
  std::filesystem::remove_all(copy);
  std::filesystem::create_directories(copy);
  for (const char* name : {"data.mdb", "redo"}) {
    std::filesystem::copy_file(folder / name, copy / name);
  }
  return copy;
}

TEST(PurgeJournal, an_append_takes_one_flush) {
  tests::TemporaryFolder folder;
  auto opened = open(folder / "purges");
  ASSERT_TRUE(opened.journal->begin());
  flushes = 0;
  for (int i = 1; i <= 20; ++i) {
    FleetPurge told{{"edge-1", static_cast<std::uint64_t>(i)}, moment, purges[0]};
    PurgeChange change{.purges = {told}, .reaches = {{"edge-1", {told.id.stamp, 0}}}};
    ASSERT_TRUE(opened.journal->append(one({opened.run_begins_at + i, moment, purges[0]}), change));
    EXPECT_EQ(flushes, i);
  }
}

TEST(PurgeJournal, after_a_kill_all_that_was_appended_is_there) {
  tests::TemporaryFolder folder;
  auto opened = open(folder / "purges");
  ASSERT_TRUE(opened.journal->begin());
  std::uint64_t first = opened.run_begins_at;
  // Some dozens of them fit into the log, which is taken over now and then.
  constexpr std::uint64_t count = 300;
  for (std::uint64_t i = 1; i <= count; ++i) {
    FleetPurge told{{"edge-1", i}, moment, purges[0]};
    PurgeChange change{.purges = {told}, .reaches = {{"edge-1", {i, i / 2}}}};
    if (i > 10) change.forgotten = {{"edge-1", i - 10}};
    ASSERT_TRUE(opened.journal->append(one({first + i, moment, purges[i % 5]}), change));
    if (i % 7 == 0) ASSERT_TRUE(opened.journal->erase_through(first + i - 20));
    if (i % 25 != 0 || i < 25) continue;
    auto found = open(copy_of(folder / "purges"));
    EXPECT_TRUE(found.known);
    ASSERT_FALSE(found.purges.empty());
    EXPECT_EQ(found.purges.back().number, first + i);
    EXPECT_EQ(found.purges.back().purge, purges[i % 5]);
    for (std::size_t n = 1; n < found.purges.size(); ++n) {
      ASSERT_EQ(found.purges[n].number, found.purges[n - 1].number + 1);
    }
    EXPECT_LE(found.purges.front().number, first + i - 13) << "not too many are gone";
    ASSERT_EQ(found.fleet_purges.size(), 10u);
    EXPECT_EQ(found.fleet_purges.back().id.stamp, i);
    EXPECT_EQ(found.fleet_reaches["edge-1"], (PurgeReach{i, i / 2}));
  }
}

TEST(PurgeJournal, one_that_the_log_does_not_take_is_kept_all_the_same) {
  tests::TemporaryFolder folder;
  auto opened = open(folder / "purges");
  ASSERT_TRUE(opened.journal->begin());
  std::uint64_t first = opened.run_begins_at;
  auto append = [&](std::uint64_t i) {
    PurgeChange change{.reaches = {{"edge-1", {i, 0}}}};
    return opened.journal->append(one({first + i, moment, purges[1]}), change).has_value();
  };
  ASSERT_TRUE(append(1));
  for (std::uint64_t i = 2; i <= 4; ++i) {
    log_fails = true;
    EXPECT_TRUE(append(i));
    log_fails = false;
    auto found = open(copy_of(folder / "purges"));
    EXPECT_EQ(found.purges.size(), i);
    EXPECT_EQ(found.fleet_reaches["edge-1"].highest, i);
  }
  ASSERT_TRUE(append(5));
  auto found = open(copy_of(folder / "purges"));
  EXPECT_EQ(found.purges.size(), 5u);
  EXPECT_EQ(found.fleet_reaches["edge-1"].highest, 5u);
  std::vector<NumberedPurge> many;  // larger than the log
  for (std::uint64_t i = 0; i < 40; ++i) many.push_back({first + 6 + i, moment, purges[1]});
  ASSERT_TRUE(opened.journal->append(many, {}));
  EXPECT_EQ(open(copy_of(folder / "purges")).purges.size(), 45u);
}

TEST(PurgeJournal, without_its_log_it_knows_nothing) {
  tests::TemporaryFolder folder;
  {
    auto opened = open(folder / "purges");
    ASSERT_TRUE(opened.journal->begin());
    ASSERT_TRUE(opened.journal->append(one({opened.run_begins_at + 1, moment, purges[0]}), {}));
  }
  std::filesystem::remove(folder / "purges" / "redo");
  EXPECT_FALSE(open(folder / "purges").known);
}

TEST(PurgeJournal, a_log_that_a_kill_left_and_somebody_took_is_missed) {
  tests::TemporaryFolder folder;
  auto opened = open(folder / "purges");
  ASSERT_TRUE(opened.journal->begin());
  ASSERT_TRUE(opened.journal->append(one({opened.run_begins_at + 1, moment, purges[0]}), {}));
  auto copy = copy_of(folder / "purges");
  std::filesystem::remove(copy / "redo");
  EXPECT_FALSE(open(copy).known);
}

TEST(PurgeJournal, a_row_comes_back_as_it_was) {
  for (const Purge& purge : purges) {
    auto back = decode_purge(9, encode({9, moment, purge}));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->number, 9u);
    EXPECT_EQ(back->at, moment);
    EXPECT_EQ(back->purge, purge);
  }
}

TEST(PurgeJournal, a_damaged_row_is_told) {
  std::string good = encode({1, moment, purges[0]});
  for (std::size_t n : {0u, 1u, 3u, 5u, 12u}) EXPECT_FALSE(decode_purge(1, good.substr(0, n)));
  EXPECT_FALSE(decode_purge(1, "2" + good.substr(1)));
  EXPECT_FALSE(decode_purge(1, "1 9 0 1\n\n"));
  EXPECT_FALSE(decode_purge(1, "1 0 2 1\n\n"));
}

TEST(PurgeJournal, a_restart_finds_what_was_not_erased) {
  tests::TemporaryFolder folder;
  std::uint64_t first = 0;
  {
    auto opened = open(folder / "purges");
    EXPECT_FALSE(opened.known);
    ASSERT_TRUE(opened.journal->begin());
    first = opened.run_begins_at;
    for (std::uint64_t i = 0; i < std::size(purges); ++i) {
      ASSERT_TRUE(opened.journal->append(one({first + 1 + i, moment, purges[i]}), {}));
    }
    ASSERT_TRUE(opened.journal->erase_through(first + 2));
  }
  auto opened = open(folder / "purges");
  EXPECT_TRUE(opened.known);
  EXPECT_GT(opened.run_begins_at, first + std::size(purges)) << "no number is used twice";
  ASSERT_EQ(opened.purges.size(), std::size(purges) - 2);
  EXPECT_EQ(opened.purges.front().number, first + 3);
  EXPECT_EQ(opened.purges.front().purge, purges[2]);
  EXPECT_EQ(opened.purges.back().purge, purges[4]);
}

TEST(PurgeJournal, one_that_never_began_stays_unknown) {
  tests::TemporaryFolder folder;
  for (int i = 0; i < 2; ++i) {
    auto opened = open(folder / "purges");
    EXPECT_FALSE(opened.known);
    EXPECT_TRUE(opened.journal->append(one({opened.run_begins_at + 1, moment, purges[0]}), {}));
  }
}

TEST(PurgeJournal, a_damaged_one_knows_nothing) {
  tests::TemporaryFolder folder;
  {
    ASSERT_TRUE(open(folder / "purges").journal->begin());
  }
  std::ofstream(folder / "purges" / "data.mdb") << std::string(20'000, 'x');
  auto opened = open(folder / "purges");
  EXPECT_FALSE(opened.known);
  ASSERT_TRUE(opened.journal);
  EXPECT_TRUE(opened.journal->append(one({opened.run_begins_at + 1, moment, purges[0]}), {}));
}

TEST(PurgeJournal, keeps_what_the_fleet_purged_and_how_far_that_is_known) {
  tests::TemporaryFolder folder;
  const FleetPurge first{{"edge-1", 256}, moment, purges[0]},
      second{{"edge-1", 511}, moment, purges[1]};
  const FleetPurge other{{"edge-2", 3}, moment, purges[2]};
  {
    auto opened = open(folder / "purges");
    ASSERT_TRUE(opened.journal->begin());
    PurgeChange change{.purges = {first, other},
                       .reaches = {{"edge-1", {256, 0}}, {"edge-2", {3, 2}}}};
    ASSERT_TRUE(opened.journal->append({}, change));
    ASSERT_TRUE(opened.journal->append(
        {}, {.purges = {second}, .reaches = {{"edge-1", {511, 256}}}, .forgotten = {first.id}}));
  }
  auto opened = open(folder / "purges");
  EXPECT_TRUE(opened.purges.empty()) << "none of them is in force here";
  EXPECT_EQ(opened.fleet_purges, (std::vector{second, other}));
  EXPECT_EQ(opened.fleet_reaches,
            (std::map<std::string, PurgeReach>{{"edge-1", {511, 256}}, {"edge-2", {3, 2}}}));
}

}  // namespace
}  // namespace relay::edge

extern "C" __attribute__((used)) int fdatasync(int fd) {
  if (relay::edge::log_fails.exchange(false)) {
    errno = EIO;
    return -1;
  }
  ++relay::edge::flushes;
  return static_cast<int>(::syscall(SYS_fdatasync, fd));
}

extern "C" __attribute__((used)) ssize_t pwrite(int fd, const void* bytes, size_t count, off_t at) {
  // LMDB writes its meta pages to a descriptor of its own that flushes each write.
  relay::edge::flushes += (::fcntl(fd, F_GETFL) & O_DSYNC) != 0;
  return ::syscall(SYS_pwrite64, fd, bytes, count, at);
}
