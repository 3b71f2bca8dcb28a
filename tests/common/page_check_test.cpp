// Damaged LMDB files: what the check lets through, LMDB walks and writes without harm.
#include "common/store/page_check.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <random>

#include "common/store/lmdb.hpp"
#include "tests/support/temporary_folder.hpp"

namespace relay::store {
namespace {

constexpr std::size_t page_bytes = 4096;

std::string key_of(int i) {
  return "key " + std::to_string(1'000'000 + i * 7919 % 100'000);
}

std::string value_of(int i) {
  return std::string(static_cast<std::size_t>(i % 10 == 0 ? 9000 : 40 + i % 200), 'a' + i % 26);
}

std::string read_all(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return std::string{std::istreambuf_iterator<char>(stream), {}};
}

void write_all(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

Result<Env> open_env(const std::filesystem::path& folder, bool checked = false) {
  return Env::open(folder,
                   {.map_size_bytes = 64 << 20, .flags = MDB_NOSYNC, .check_pages = checked});
}

void change(Env& env, Table table, int from, int to, bool put) {
  auto txn = env.write();
  ASSERT_TRUE(txn);
  for (int i = from; i < to; ++i) {
    if (put) ASSERT_TRUE(txn->put(table, key_of(i), value_of(i)));
    if (!put) ASSERT_TRUE(txn->erase(table, key_of(i)));
  }
  ASSERT_TRUE(txn->commit());
}

/// Two tables with trees of several levels, overflow values and a free list; and the file before
/// the last commits.
class PageCheck : public testing::Test {
 protected:
  void SetUp() override {
    auto env = open_env(folder.path());
    ASSERT_TRUE(env);
    auto one = env->table("one"), two = env->table("two");
    for (int step = 0; step < 10; ++step) change(*env, *one, step * 200, step * 200 + 200, true);
    change(*env, *two, 0, 50, true);
    earlier = read_all(folder / "data.mdb");
    for (int step = 0; step < 5; ++step) change(*env, *one, step * 150, step * 150 + 90, false);
    change(*env, *two, 50, 90, true);
    env.value().sync().value();
    file = read_all(folder / "data.mdb");
  }

  /// In a process of its own: LMDB reads everything and changes something.
  bool lmdb_survives(const std::string& bytes) {
    tests::TemporaryFolder other;
    write_all(other / "data.mdb", bytes);
    pid_t child = fork();
    if (child == 0) {
      alarm(20);
      use(other.path());
      _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }

  static void use(const std::filesystem::path& folder) {
    auto env = open_env(folder);
    if (!env) return;
    for (const char* name : {"one", "two"}) {
      auto table = env->table(name);
      if (!table) continue;
      std::uint64_t sum = 0;
      if (auto txn = env->read()) {
        auto cursor = Cursor::open(*txn, *table);
        auto there = cursor->seek({});
        for (; there && *there; there = cursor->next()) {
          for (char byte : cursor->value()) sum += static_cast<unsigned char>(byte);
        }
      }
      auto txn = env->write();
      if (!txn) continue;
      for (int i = 0; i < 300; ++i) {
        auto done = txn->put(*table, key_of(3000 + i + static_cast<int>(sum % 2)), value_of(i));
        if (!done) break;
      }
      (void)txn->commit();
    }
  }

  std::uint16_t kind(std::size_t page) const {
    std::uint16_t flags = 0;
    std::memcpy(&flags, file.data() + page * page_bytes + 10, sizeof flags);
    return flags;
  }

  tests::TemporaryFolder folder;
  std::string file, earlier;
};

TEST_F(PageCheck, AWholeFileIsRight) {
  auto checked = check_pages(file);
  EXPECT_TRUE(checked) << checked.error().message;
  EXPECT_TRUE(check_pages(earlier));
  EXPECT_TRUE(check_pages({}));
  EXPECT_TRUE(check_pages(file, {.unread = "one"}));
  const std::string_view all[] = {"one", "two", "three"};
  EXPECT_TRUE(check_pages(file, {.all = all}));
}

TEST_F(PageCheck, ATableThatLostItsNameIsFound) {
  const std::string_view all[] = {"one", "two"};
  int renamed = 0;
  for (auto at = file.find("two"); at != file.npos; at = file.find("two", at + 1)) {
    std::string bytes = file;
    bytes[at + 1] ^= 1;
    bool sound = check_pages(bytes).has_value();
    renamed += sound && !check_pages(bytes, {.all = all}) ? 1 : 0;
    bytes = file;
    bytes[at - 4] ^= 2;  // no longer a tree
    EXPECT_TRUE(!check_pages(bytes) || lmdb_survives(bytes));
  }
  EXPECT_EQ(renamed, 1) << "others are of earlier commits";
}

/// A page that lies where another belongs, or that is noise.
TEST_F(PageCheck, AnotherPageIsFoundOrHarmless) {
  std::mt19937 random(23);
  std::size_t pages = file.size() / page_bytes;
  int found = 0;
  for (int i = 0; i < 1500; ++i) {
    std::string bytes = file;
    std::size_t to = random() % pages * page_bytes, from = random() % pages * page_bytes;
    std::size_t size = random() % 3 ? page_bytes : 512 * (1 + random() % 7);
    if (i % 4 == 0) {
      for (std::size_t at = 0; at < size; ++at) bytes[to + at] = static_cast<char>(random());
    } else {
      bytes.replace(to, size, file, from, size);
      // With the right number, as if LMDB itself had written it there.
      if (i % 4 == 1) bytes.replace(to, 8, file, to, 8);
    }
    if (!check_pages(bytes)) {
      ++found;
    } else if (bytes != file) {
      ASSERT_TRUE(lmdb_survives(bytes)) << "page " << to / page_bytes << " at " << i;
    }
  }
  EXPECT_GT(found, 300);
}

TEST_F(PageCheck, EveryFlippedBitIsFoundOrHarmless) {
  std::mt19937 random(7);
  int found = 0, harmless = 0;
  for (int i = 0; i < 400; ++i) {
    std::string bytes = file;
    std::size_t bit = random() % (8 * bytes.size());
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ 1 << bit % 8);
    if (!check_pages(bytes)) {
      ++found;
    } else {
      ++harmless;
      ASSERT_TRUE(lmdb_survives(bytes)) << "bit " << bit % 8 << " of byte " << bit / 8;
    }
  }
  EXPECT_GT(found, 0);
  EXPECT_GT(harmless, 100) << "most of the file is values, or free";
}

TEST_F(PageCheck, DamageInTreePagesIsFoundOrHarmless) {
  std::mt19937 random(11);
  std::vector<std::size_t> trees;  // those in use
  for (std::size_t page = 2; page < file.size() / page_bytes; ++page) {
    std::string bytes = file;
    bytes[page * page_bytes + 10] = 0;
    if ((kind(page) == 1 || kind(page) == 2) && !check_pages(bytes)) trees.push_back(page);
  }
  ASSERT_GT(trees.size(), 20u);
  int found = 0;
  for (int i = 0; i < 600; ++i) {
    std::string bytes = file;
    // Headers and the places of nodes more often than what lies behind.
    std::size_t within = random() % (i % 2 ? 64 : page_bytes);
    std::size_t at = trees[random() % trees.size()] * page_bytes + within;
    bytes[at] = static_cast<char>(bytes[at] ^ 1 << random() % 8);
    if (!check_pages(bytes)) {
      ++found;
    } else {
      ASSERT_TRUE(lmdb_survives(bytes)) << "byte " << at;
    }
  }
  EXPECT_GT(found, 150);
}

TEST_F(PageCheck, ATornPageIsFoundOrHarmless) {
  int found = 0;
  for (std::size_t page = 0; page < file.size() / page_bytes; ++page) {
    std::string torn = file, blank = file;
    if ((page + 1) * page_bytes <= earlier.size()) {
      torn.replace(page * page_bytes, page_bytes, earlier, page * page_bytes, page_bytes);
    }
    blank.replace(page * page_bytes, page_bytes, page_bytes, '\0');
    for (const std::string& bytes : {torn, blank}) {
      if (bytes == file) continue;
      if (!check_pages(bytes)) {
        ++found;
      } else if (page % 7 == 0) {
        ASSERT_TRUE(lmdb_survives(bytes)) << "page " << page;
      }
    }
  }
  EXPECT_GT(found, 20);
}

/// The header that tells LMDB how many pages to free with a value.
TEST_F(PageCheck, ADamagedRunIsFoundOrNotWhole) {
  int runs = 0, unread = 0;
  for (std::size_t page = 2; page < file.size() / page_bytes; ++page) {
    if (kind(page) != 4) continue;
    std::string bytes = file;
    bytes[page * page_bytes + 12] ^= 1;
    std::string_view value(bytes.data() + page * page_bytes + 16, 9000);
    EXPECT_FALSE(is_whole_run(value, page)) << page;
    std::string_view sound(file.data() + page * page_bytes + 16, 9000);
    EXPECT_TRUE(is_whole_run(sound, page)) << page;
    EXPECT_FALSE(is_whole_run(sound, page + 1)) << page;
    if (check_pages(bytes)) continue;  // of a value that was erased
    ++runs;
    unread += check_pages(bytes, {.unread = "one"}).has_value();
    page += 2;
  }
  EXPECT_GT(unread, 50);
  EXPECT_GT(runs, unread) << "the other table's are read";
}

TEST_F(PageCheck, AnEnvironmentIsCheckedBeforeItIsUsed) {
  EXPECT_TRUE(open_env(folder.path(), true));
  std::string bytes = file;
  for (std::size_t at = 2; at < file.size() / page_bytes; ++at) {
    if (kind(at) == 1) bytes[at * page_bytes + 14] ^= 1;
  }
  write_all(folder / "data.mdb", bytes);
  auto env = open_env(folder.path(), true);
  ASSERT_FALSE(env);
  EXPECT_EQ(env.error().kind, ErrorKind::corrupt);
  tests::TemporaryFolder fresh;
  EXPECT_TRUE(open_env(fresh.path(), true));
}

TEST_F(PageCheck, ATruncatedFileIsFound) {
  for (std::size_t size : {std::size_t{1}, page_bytes, 2 * page_bytes, file.size() / 2}) {
    EXPECT_FALSE(check_pages(std::string_view(file).substr(0, size))) << size;
  }
}

}  // namespace
}  // namespace relay::store
