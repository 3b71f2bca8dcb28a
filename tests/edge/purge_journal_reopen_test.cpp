// LMDB gives the journal's files up under it: they are opened anew, and what was acknowledged is
// there after a kill.
#include <gtest/gtest.h>

#include <set>

#include "edge/purge_journal.hpp"
#include "tests/support/meta_writes.hpp"
#include "tests/support/temporary_folder.hpp"

namespace relay::edge {
namespace {

using tests::MetaWrite;

constexpr WallTime moment{std::chrono::milliseconds{784111777250}};
const Purge large{PurgeBy::prefix, "/" + std::string(8000, 'x'), {}, false};

/// A journal in use, and the numbers of what it has acknowledged.
class PurgeJournalReopen : public testing::TestWithParam<MetaWrite> {
 protected:
  PurgeJournalReopen() {
    auto opened = PurgeJournal::open(folder / "purges");
    if (!opened) throw std::runtime_error(opened.error().message);
    journal = std::move(opened->journal);
    last = opened->run_begins_at;
    if (!journal->begin()) throw std::runtime_error("the journal does not begin");
  }
  ~PurgeJournalReopen() override { tests::meta_write = MetaWrite::works; }

  /// So many purges at once.
  bool append(std::size_t count) {
    std::vector<NumberedPurge> purges;
    for (; count > 0; --count) purges.push_back({++last, moment, large});
    bool kept = journal->append(purges, {}).has_value();
    if (kept) {
      for (const NumberedPurge& each : purges) acknowledged.insert(each.number);
    }
    return kept;
  }
  void expect_all_after_a_kill() {
    auto copy = folder / "copy";
    std::filesystem::remove_all(copy);
    std::filesystem::create_directories(copy);
    for (const char* name : {"data.mdb", "redo"}) {
      std::filesystem::copy_file(folder / "purges" / name, copy / name);
    }
    auto found = PurgeJournal::open(copy);
    ASSERT_TRUE(found);
    EXPECT_TRUE(found->known);
    std::set<std::uint64_t> numbers;
    for (const NumberedPurge& each : found->purges) numbers.insert(each.number);
    for (std::uint64_t number : acknowledged) EXPECT_TRUE(numbers.contains(number)) << number;
  }

  static constexpr std::size_t more_than_the_log = 40;
  static constexpr std::size_t half_of_the_log = 17;
  tests::TemporaryFolder folder;
  std::unique_ptr<PurgeJournal> journal;
  std::uint64_t last = 0;
  std::set<std::uint64_t> acknowledged;
};

TEST_P(PurgeJournalReopen, APurgeAfterTheFaultIsKept) {
  ASSERT_TRUE(append(1));
  tests::meta_write = GetParam();
  // One failure costs nothing: the second try, into the files opened anew, goes through.
  EXPECT_EQ(append(more_than_the_log), GetParam() == MetaWrite::fails_once);
  tests::meta_write = MetaWrite::works;
  expect_all_after_a_kill();
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(append(1));
    expect_all_after_a_kill();
  }
  EXPECT_TRUE(append(more_than_the_log));
  expect_all_after_a_kill();
}

/// The sweep is who meets the fault. Its commit may be in the file all the same, and says then that
/// LMDB has all that stands in the log: the next record must not come to lie behind that.
TEST_P(PurgeJournalReopen, APurgeAfterTheFaultOfASweepIsKept) {
  std::uint64_t first = last + 1;
  for (std::size_t i = 0; i < half_of_the_log; ++i) ASSERT_TRUE(append(1));
  tests::meta_write = GetParam();
  bool erased = journal->erase_through(first).has_value();
  EXPECT_EQ(erased, GetParam() == MetaWrite::fails_once);
  tests::meta_write = MetaWrite::works;
  acknowledged.erase(first);  // needed no more
  EXPECT_TRUE(append(1));
  expect_all_after_a_kill();
  EXPECT_TRUE(append(1));
  expect_all_after_a_kill();
  EXPECT_TRUE(journal->erase_through(first + 1));
}

TEST_P(PurgeJournalReopen, AStopAfterTheFaultLosesNothing) {
  for (std::size_t i = 0; i < half_of_the_log; ++i) ASSERT_TRUE(append(1));
  tests::meta_write = GetParam();
  (void)append(more_than_the_log);
  journal.reset();
  tests::meta_write = MetaWrite::works;
  expect_all_after_a_kill();
}

INSTANTIATE_TEST_SUITE_P(Each, PurgeJournalReopen, testing::ValuesIn(tests::failing_meta_writes),
                         [](const auto& each) {
                           return std::string(each.param == MetaWrite::fails_once ? "FailsOnce"
                                              : each.param == MetaWrite::fails    ? "Fails"
                                                                               : "FailsButIsDone");
                         });

}  // namespace
}  // namespace relay::edge
