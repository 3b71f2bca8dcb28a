#include "edge/purge_journal.hpp"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <fstream>
#include <random>

#include "common/store/file.hpp"
#include "common/store/lmdb.hpp"
#include "edge/journal_row.hpp"
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

/// What it says there is not known here: as if it had never begun.
TEST(PurgeJournal, one_of_a_newer_version_knows_nothing) {
  const std::string run(8, '\0');
  struct Case {
    const char* table;
    JournalTable of;
    std::string key, value;
  };
  for (const Case& c :
       {Case{"purges", JournalTable::purges, run, "2 1"},
        Case{"purges", JournalTable::purges, std::string("\0\0\0\1\0\0\0\1", 8), "2 0 0 5\n\n/a"},
        Case{"fleet_reaches", JournalTable::reaches, "edge-1", "2 5 0"},
        Case{"purges_3", JournalTable::purges, run, "1 1"}}) {
    SCOPED_TRACE(c.value);
    tests::TemporaryFolder folder;
    {
      ASSERT_TRUE(open(folder / "purges").journal->begin());
    }
    {
      auto env = store::Env::open(folder / "purges", {.map_size_bytes = 128 << 20});
      auto table = env->table(c.table);
      auto txn = env->write();
      ASSERT_TRUE(txn->put(*table, c.key, seal(c.of, c.key, c.value)));
      ASSERT_TRUE(txn->commit());
    }
    testing::internal::CaptureStderr();
    bool known = open(folder / "purges").known;
    std::string log = testing::internal::GetCapturedStderr();
    EXPECT_FALSE(known);
    EXPECT_NE(log.find("event=\"purge journal set aside\""), log.npos) << log;
  }
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

std::string bytes_of(const std::filesystem::path& file) {
  return store::read_file(file).value();
}

void write_anew(const std::filesystem::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
}

void append_all(PurgeJournal::Opened& to) {
  for (std::uint64_t i = 1; i <= std::size(purges); ++i) {
    const Purge& purge = purges[i - 1];
    PurgeChange change{.purges = {{{"edge-1", i}, moment, purge}}, .reaches = {{"edge-1", {i, 0}}}};
    EXPECT_TRUE(to.journal->append(one({to.run_begins_at + i, moment, purge}), change));
  }
}

/// All that a restart is told, as text.
std::string told_by(const PurgeJournal::Opened& opened) {
  std::string text;
  for (const auto& each : opened.purges) {
    text += std::to_string(each.number) + " " + encode(each) + "\n";
  }
  for (const auto& each : opened.fleet_purges) {
    text += each.id.member + " " + encode({each.id.stamp, each.at, each.purge}) + "\n";
  }
  for (const auto& [member, reach] : opened.fleet_reaches) {
    text += member + " " + std::to_string(reach.highest) + " " + std::to_string(reach.floor) + "\n";
  }
  return text;
}

TEST(PurgeJournal, damage_anywhere_is_told_or_takes_no_purge_away) {
  tests::TemporaryFolder folder;
  {
    auto opened = open(folder / "purges");
    ASSERT_TRUE(opened.journal->begin());
    append_all(opened);
  }
  auto opened = open(folder / "purges");
  append_all(opened);  // these are in the log only
  const std::string sound = told_by(open(copy_of(folder / "purges")));
  auto copy = copy_of(folder / "purges");
  const std::string data = bytes_of(copy / "data.mdb"), redo = bytes_of(copy / "redo");
  std::mt19937 random(17);
  int told = 0;
  for (int i = 0; i < 1500; ++i) {
    bool in_log = i % 3 == 0;
    std::string bytes = in_log ? redo : data;
    // The log's beginning, where its records are.
    std::size_t unit = in_log ? 512 : 4096, page = random() % (in_log ? 24 : data.size() / unit);
    std::size_t at = page * unit + random() % (random() % 2 ? unit : 64);
    switch (random() % 5) {
      case 0:
        bytes.replace(page * unit, unit, bytes, random() % (bytes.size() / unit) * unit, unit);
        break;
      case 1:
        bytes.replace(page * unit, unit, unit, random() % 2 ? '\0' : '\xff');
        break;
      default:
        bytes[at] = static_cast<char>(bytes[at] ^ 1 << random() % 8);
    }
    write_anew(copy / "redo", in_log ? bytes : redo);
    write_anew(copy / "data.mdb", in_log ? data : bytes);
    auto found = open(copy);
    if (!found.known) ++told;
    if (found.known) ASSERT_EQ(told_by(found), sound) << i << (in_log ? " log" : " data");
  }
  EXPECT_GT(told, 300);
  EXPECT_LT(told, 1400);
}

/// As it was before frames and seals; after a clean stop nothing in it is wanted.
TEST(PurgeJournal, one_of_an_older_form_is_kept_if_its_log_is_done) {
  for (char number : {'\0', '\5', '\6'}) {
    tests::TemporaryFolder folder;
    {
      ASSERT_TRUE(open(folder / "purges").journal->begin());
    }
    {
      auto env = store::Env::open(folder / "purges", {.map_size_bytes = 128 << 20});
      auto rows = env->table("purges"), log = env->table("taken_over");
      auto txn = env->write();
      ASSERT_TRUE(txn->put(*rows, std::string(8, '\0'), "1 7"));
      ASSERT_TRUE(
          txn->put(*rows, std::string("\0\0\0\7\0\0\0\1", 8), encode({0, moment, purges[2]})));
      ASSERT_TRUE(txn->put(*log, "taken_over", "5"));
      ASSERT_TRUE(txn->commit());
    }
    std::string older(128 << 10, '\0');
    older[4] = number;
    write_anew(folder / "purges" / "redo", older);
    for (int again = 0; again < 2; ++again) {
      auto opened = open(folder / "purges");
      EXPECT_EQ(opened.known, number <= '\5');
      if (!opened.known) break;
      ASSERT_EQ(opened.purges.size(), 1u + static_cast<unsigned>(again));
      EXPECT_EQ(opened.purges.front().purge, purges[2]);
      ASSERT_TRUE(opened.journal->append(one({opened.run_begins_at + 1, moment, purges[0]}), {}));
    }
  }
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
