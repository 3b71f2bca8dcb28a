// Header records of one key beside each other, which a crash may leave: a restart believes the
// newer one, whatever became of it.
#include <gtest/gtest.h>

#include <map>

#include "edge/cache/cache.hpp"
#include "edge/cache/shelf.hpp"
#include "tests/support/cache_bodies.hpp"
#include "tests/support/temporary_folder.hpp"

namespace relay::edge::cache {
namespace {

using tests::new_object;
using tests::store_now;

std::unique_ptr<Cache> opened(const std::filesystem::path& folder) {
  static Metrics metrics;
  return Cache::open({folder.string(), 16 << 20}, metrics).value();
}

/// The table of header records of a store that is closed.
struct HeaderTable {
  explicit HeaderTable(const std::filesystem::path& folder)
      : env(store::Env::open(folder / "small", {.map_size_bytes = 512 << 20}).value()),
        table(env.table(objects_table).value()) {}
  std::map<std::string, std::string> all() const {
    std::map<std::string, std::string> records;
    EXPECT_TRUE(store::walk(env, table, [&](std::string_view key, std::string_view value) {
      records.emplace(key, value);
    }));
    return records;
  }
  void put(std::string_view key, std::string_view record) {
    auto txn = env.write().value();
    ASSERT_TRUE(txn.put(table, key, record));
    ASSERT_TRUE(txn.commit());
  }
  store::Env env;
  store::Table table;
};

/// As a crash leaves them before the older one is erased. Empty bodies: nothing else tells.
TEST(Headers, OfTwoRecordsOfAKeyTheNewerCountsEvenWhenItIsDamaged) {
  for (bool damaged : {false, true}) {
    tests::TemporaryFolder fresh;
    ASSERT_TRUE(store_now(*opened(fresh.path()), new_object("/empty", "", "older")));
    auto older = HeaderTable(fresh.path()).all();
    ASSERT_EQ(older.size(), 1u);
    ASSERT_TRUE(store_now(*opened(fresh.path()), new_object("/empty", "", "newer")));
    {
      HeaderTable headers(fresh.path());
      auto newer = headers.all();
      ASSERT_EQ(newer.size(), 1u) << "the older one was erased";
      ASSERT_LT(older.begin()->first, newer.begin()->first);
      headers.put(older.begin()->first, older.begin()->second);
      std::string broken = newer.begin()->second;
      broken.back() = static_cast<char>(broken.back() ^ 1);
      if (damaged) headers.put(newer.begin()->first, broken);
    }
    {
      auto cache = opened(fresh.path());
      for (bool whole : {false, true}) {
        if (whole) cache->wait_until_whole();
        Pin pin = cache->find("/empty");
        EXPECT_EQ(pin ? pin->head() : "", damaged ? "" : "newer");
      }
      EXPECT_EQ(cache->stats().objects, damaged ? 0u : 1u);
    }
    EXPECT_EQ(HeaderTable(fresh.path()).all().size(), damaged ? 0u : 1u);
  }
}

}  // namespace
}  // namespace relay::edge::cache
