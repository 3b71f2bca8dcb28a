#include "edge/purge_journal.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/temporary_folder.hpp"

namespace relay::edge {
namespace {

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
