#include "common/store/lmdb.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "tests/support/meta_writes.hpp"
#include "tests/support/temporary_folder.hpp"

namespace relay::store {
namespace {

using relay::tests::TemporaryFolder;

Env open_env(const TemporaryFolder& folder, EnvOptions options = {}) {
  auto env = Env::open(folder / "db", options);
  EXPECT_TRUE(env) << env.error().message;
  return std::move(*env);
}

/// One record in a transaction of its own.
void store(Env& env, Table table, std::string_view key, std::string_view value) {
  auto txn = env.write();
  ASSERT_TRUE(txn);
  ASSERT_TRUE(txn->put(table, key, value));
  ASSERT_TRUE(txn->commit());
}

std::optional<std::string> load(Env& env, Table table, std::string_view key) {
  auto txn = env.read();
  auto value = txn->get(table, key);
  if (!*value) return std::nullopt;
  return std::string(**value);
}

TEST(Lmdb, KeepsCommittedRecordsOverAReopen) {
  TemporaryFolder folder;
  {
    Env env = open_env(folder);
    store(env, *env.table("things"), "key", "value");
  }
  Env env = open_env(folder);
  EXPECT_EQ(load(env, *env.table("things"), "key"), "value");
  EXPECT_EQ(load(env, *env.table("others"), "key"), std::nullopt);
}

TEST(Lmdb, TellsWhichTablesThereAre) {
  TemporaryFolder folder;
  Env env = open_env(folder);
  EXPECT_EQ(env.has_table("things").value(), false);
  store(env, *env.table("things"), "key", "value");
  EXPECT_EQ(env.has_table("things").value(), true);
  EXPECT_EQ(env.has_table("thing").value(), false);
  EXPECT_EQ(load(env, *env.table("things"), "key"), "value");
}

TEST(Lmdb, ATransactionDroppedWithoutCommitLeavesNothing) {
  TemporaryFolder folder;
  Env env = open_env(folder);
  Table table = *env.table("t");
  {
    auto txn = env.write();
    ASSERT_TRUE(txn->put(table, "key", "value"));
    EXPECT_EQ(**txn->get(table, "key"), "value");
  }
  EXPECT_EQ(load(env, table, "key"), std::nullopt);
}

TEST(Lmdb, ReservedRoomHoldsWhatWasFilledIn) {
  TemporaryFolder folder;
  Env env = open_env(folder);
  Table table = *env.table("t");
  auto txn = env.write();
  auto room = txn->reserve(table, "key", 5000);
  ASSERT_TRUE(room);
  std::memset(*room, 'r', 5000);
  ASSERT_TRUE(txn->commit());
  EXPECT_EQ(load(env, table, "key"), std::string(5000, 'r'));
}

TEST(Lmdb, EraseTellsWhetherThereWasSomething) {
  TemporaryFolder folder;
  Env env = open_env(folder);
  Table table = *env.table("t");
  store(env, table, "key", "value");
  auto txn = env.write();
  EXPECT_TRUE(*txn->erase(table, "key"));
  EXPECT_FALSE(*txn->erase(table, "key"));
  ASSERT_TRUE(txn->commit());
  EXPECT_EQ(load(env, table, "key"), std::nullopt);
}

TEST(Lmdb, ACursorWalksInKeyOrderFromAnyPlace) {
  TemporaryFolder folder;
  Env env = open_env(folder);
  Table table = *env.table("t");
  for (std::string_view key : {"b", "d", "a", "c"}) store(env, table, key, key);
  auto txn = env.read();
  auto cursor = Cursor::open(*txn, table);
  ASSERT_TRUE(cursor);
  std::vector<std::string> seen;
  for (auto at = cursor->seek("bb"); *at; at = cursor->next()) seen.emplace_back(cursor->key());
  EXPECT_EQ(seen, (std::vector<std::string>{"c", "d"}));
  ASSERT_TRUE(*cursor->seek(""));
  EXPECT_EQ(cursor->key(), "a");
  EXPECT_EQ(cursor->value(), "a");
  EXPECT_FALSE(*cursor->seek("e"));
}

TEST(Lmdb, AFullMapIsNoSpaceAndTheStoreGoesOn) {
  TemporaryFolder folder;
  Env env = open_env(folder, {.map_size_bytes = 64 * 4096});
  Table table = *env.table("t");
  {
    auto txn = env.write();
    auto full = txn->put(table, "big", std::string(300'000, 'x'));
    ASSERT_FALSE(full);
    EXPECT_EQ(full.error().kind, ErrorKind::no_space);
    EXPECT_EQ(full.error().source, ErrorSource::disk);
    EXPECT_TRUE(full.error().retry);
  }
  store(env, table, "small", "fits");
  EXPECT_EQ(load(env, table, "small"), "fits");
}

TEST(Lmdb, AReaderKeepsItsSnapshotWhileOthersWrite) {
  TemporaryFolder folder;
  Env env = open_env(folder);
  Table table = *env.table("t");
  store(env, table, "key", "old");
  auto reader = env.read();
  store(env, table, "key", "new");
  EXPECT_EQ(**reader->get(table, "key"), "old");
  EXPECT_EQ(load(env, table, "key"), "new");
}

TEST(Lmdb, ASecondOwnerIsRefusedInWords) {
  TemporaryFolder folder;
  Env env = open_env(folder);
  auto second = Env::open(folder / "db", {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::unavailable);
  EXPECT_NE(second.error().message.find("in use"), std::string::npos);
}

TEST(Lmdb, AfterAFailedWriteOfItsMetaPageItIsUsableOnlyAnew) {
  for (tests::MetaWrite way : tests::failing_meta_writes) {
    TemporaryFolder folder;
    Env env = open_env(folder);
    Table table = *env.table("t");
    store(env, table, "before", "kept");
    auto failing = env.write();
    ASSERT_TRUE(failing->put(table, "during", "perhaps"));
    tests::meta_write = way;
    EXPECT_FALSE(failing->commit());
    tests::meta_write = tests::MetaWrite::works;

    EXPECT_FALSE(env.usable());
    auto refused = env.write();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::corrupt);

    auto reopened = env.reopen(folder / "db", {.check_pages = true});
    ASSERT_TRUE(reopened) << reopened.error().message;
    EXPECT_TRUE(env.usable());
    table = *env.table("t");
    EXPECT_EQ(load(env, table, "before"), "kept");
    bool is_done = way == tests::MetaWrite::fails_but_is_done;
    EXPECT_EQ(load(env, table, "during").has_value(), is_done);
    store(env, table, "after", "kept too");
    EXPECT_EQ(load(env, table, "after"), "kept too");
  }
}

TEST(Lmdb, ATreeThatTheDiskDoesNotGiveIsAnError) {
  TemporaryFolder folder;
  Env env = open_env(folder);
  Table table = *env.table("t");
  for (int i = 0; i < 2000; ++i)
    store(env, table, "key " + std::to_string(i), std::string(100, 'v'));
  auto reader = env.read();
  auto cursor = Cursor::open(*reader, table);
  ASSERT_TRUE(*cursor->seek({}));
  auto kept = read_file(folder / "db" / "data.mdb");
  ASSERT_EQ(::truncate((folder / "db" / "data.mdb").c_str(), 2 * 4096), 0);

  auto writer = env.write();
  auto put = writer ? writer->put(table, "key 77", "new") : std::unexpected(writer.error());
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().kind, ErrorKind::corrupt);
  EXPECT_FALSE(env.usable());
  EXPECT_EQ(env.read().error().kind, ErrorKind::corrupt);
  EXPECT_EQ(env.write().error().kind, ErrorKind::corrupt) << "and does not wait for a lock";
  EXPECT_EQ(env.sync().error().kind, ErrorKind::corrupt);
  EXPECT_FALSE(reader->get(table, "key 5"));
  EXPECT_FALSE(cursor->next());

  EXPECT_EQ(env.reopen(folder / "db", {.check_pages = true}).error().kind, ErrorKind::corrupt);
  ASSERT_TRUE(write_atomically(folder / "db" / "data.mdb", *kept));
  ASSERT_TRUE(env.reopen(folder / "db", {.check_pages = true}));
  table = *env.table("t");
  store(env, table, "after", "kept");
  EXPECT_EQ(load(env, table, "after"), "kept");
  EXPECT_EQ(load(env, table, "key 1999"), std::string(100, 'v'));
}

/// Takes all nodes but the first from the branches of its trees, which LMDB holds to be impossible.
void spoil_branches(const std::filesystem::path& file) {
  constexpr std::size_t page = 4096;
  std::string bytes = *read_file(file);
  int spoilt = 0;
  for (std::size_t at = 2 * page; at < bytes.size(); at += page) {
    bool is_branch = bytes[at + 10] == 1 && bytes[at + 11] == 0;
    if (!is_branch) continue;
    bytes[at + 12] = 16 + 2;  // where its table of nodes ends
    bytes[at + 13] = 0;
    ++spoilt;
  }
  ASSERT_GT(spoilt, 0);
  ASSERT_TRUE(write_atomically(file, bytes));
}

/// What LMDB does by itself.
void read_without_us(const std::filesystem::path& folder) {
  MDB_env* env = nullptr;
  MDB_txn* txn = nullptr;
  MDB_dbi table = 0;
  MDB_val key{5, const_cast<char*>("key 5")}, value{};
  mdb_env_create(&env);
  mdb_env_set_maxdbs(env, 4);
  mdb_env_open(env, folder.c_str(), 0, 0644);
  mdb_txn_begin(env, nullptr, MDB_RDONLY, &txn);
  mdb_dbi_open(txn, "t", 0, &table);
  mdb_get(txn, table, &key, &value);
}

using LmdbDeathTest = ::testing::Test;

TEST(LmdbDeathTest, WhatLmdbHoldsToBeImpossibleIsAnErrorAndNotTheEnd) {
  TemporaryFolder folder;
  {
    Env env = open_env(folder);
    Table table = *env.table("t");
    auto txn = env.write();
    for (int i = 0; i < 2000; ++i) {
      ASSERT_TRUE(txn->put(table, "key " + std::to_string(i), std::string(100, 'v')));
    }
    ASSERT_TRUE(txn->commit());
  }
  spoil_branches(folder / "db" / "data.mdb");
  EXPECT_EXIT(read_without_us(folder / "db"), testing::KilledBySignal(SIGABRT), "Assertion");

  for (bool writes : {false, true}) {
    Env env = open_env(folder);  // which does not look at the pages
    Table table = *env.table("t");
    auto reader = env.read();
    auto cursor = Cursor::open(*reader, table);
    ErrorKind kind = ErrorKind::internal;
    if (writes) {
      auto writer = env.write();
      kind = writer->put(table, "key 5", "new").error().kind;
    } else {
      kind = reader->get(table, "key 5").error().kind;
    }
    EXPECT_EQ(kind, ErrorKind::corrupt);
    EXPECT_FALSE(env.usable());
    EXPECT_EQ(cursor->seek("key 7").error().kind, ErrorKind::corrupt);
    EXPECT_EQ(env.write().error().kind, ErrorKind::corrupt) << "and does not wait for a lock";
  }
  EXPECT_EQ(Env::open(folder / "db", {.check_pages = true}).error().kind, ErrorKind::corrupt);
}

TEST(Lmdb, WhatCannotBeReopenedIsClosedNotGivenAway) {
  TemporaryFolder folder;
  Env env = open_env(folder);
  std::filesystem::rename(folder / "db" / "data.mdb", folder / "aside");
  std::filesystem::create_directory(folder / "db" / "data.mdb");
  EXPECT_FALSE(env.reopen(folder / "db", {}));
  EXPECT_FALSE(env.usable());
  EXPECT_FALSE(env.write());
  EXPECT_FALSE(env.sync());
  EXPECT_EQ(Env::open(folder / "db", {}).error().kind, ErrorKind::unavailable);
  std::filesystem::remove(folder / "db" / "data.mdb");
  std::filesystem::rename(folder / "aside", folder / "db" / "data.mdb");
  EXPECT_TRUE(env.reopen(folder / "db", {}));
  EXPECT_TRUE(env.usable());
}

TEST(Lmdb, AKilledWriterLosesOnlyWhatItHadNotCommitted) {
  TemporaryFolder folder;
  pid_t child = ::fork();
  if (child == 0) {
    Env env = std::move(*Env::open(folder / "db", {}));
    Table table = *env.table("t");
    auto committed = env.write();
    (void)committed->put(table, "kept", "yes");
    (void)committed->commit();
    auto lost = env.write();
    (void)lost->put(table, "lost", "yes");
    ::kill(::getpid(), SIGKILL);
  }
  ::waitpid(child, nullptr, 0);
  Env env = open_env(folder);
  Table table = *env.table("t");
  EXPECT_EQ(load(env, table, "kept"), "yes");
  EXPECT_EQ(load(env, table, "lost"), std::nullopt);
  store(env, table, "later", "works");
}

TEST(Lmdb, SomethingElseInPlaceOfTheFileIsCorrupt) {
  TemporaryFolder folder;
  ASSERT_TRUE(write_atomically(folder / "db/data.mdb", std::string(20'000, 'z')));
  auto env = Env::open(folder / "db", {});
  ASSERT_FALSE(env);
  EXPECT_EQ(env.error().kind, ErrorKind::corrupt);
}

TEST(Lmdb, CodesBecomeKinds) {
  EXPECT_EQ(lmdb_error("x", MDB_MAP_FULL).kind, ErrorKind::no_space);
  EXPECT_EQ(lmdb_error("x", ENOSPC).kind, ErrorKind::no_space);
  EXPECT_EQ(lmdb_error("x", MDB_CORRUPTED).kind, ErrorKind::corrupt);
  EXPECT_EQ(lmdb_error("x", MDB_READERS_FULL).kind, ErrorKind::unavailable);
  EXPECT_EQ(lmdb_error("x", MDB_BAD_TXN).kind, ErrorKind::internal);
}

}  // namespace
}  // namespace relay::store
