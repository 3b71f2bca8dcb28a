// Files of an older or a newer format: what cannot be read as it was meant is dropped with a line
// in the log, the rest is kept, and nothing is misread. The versions are changed where they stand.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "common/net/blocking.hpp"
#include "common/store/file.hpp"
#include "edge/cache/cache.hpp"
#include "edge/cache/layout.hpp"
#include "edge/cache/shelf.hpp"
#include "edge/lookup.hpp"
#include "tests/support/cache_bodies.hpp"
#include "tests/support/temporary_folder.hpp"

namespace relay::edge::cache {
namespace {

using tests::body_of;
using tests::bytes_of;
using tests::new_object;
using tests::store_now;

constexpr std::uint64_t size_bytes = 16 << 20;
constexpr std::array keys = {"/small", "/photo", "/segment"};
constexpr std::array<std::size_t, 3> sizes = {900, 70'000, 700'000};  // of every shelf

std::unique_ptr<Cache> opened(const std::filesystem::path& folder) {
  static Metrics metrics;
  return Cache::open({folder.string(), size_bytes}, metrics).value();
}

std::string body(std::size_t i) {
  return body_of(sizes[i], i);
}

struct Seen {
  std::string keys;  // of what was found, in order
  std::string log;
};

/// Opens, looks at once and again when all is read, and stores what was not there.
Seen look(const std::filesystem::path& folder) {
  testing::internal::CaptureStderr();
  Seen found;
  auto cache = opened(folder);
  for (bool whole : {false, true}) {
    if (whole) cache->wait_until_whole();
    found.keys.clear();
    for (std::size_t i = 0; i < keys.size(); ++i) {
      Pin pin = cache->find(keys[i]);
      if (!pin || !pin->verify()) continue;
      EXPECT_EQ(bytes_of(*pin), body(i)) << keys[i];
      EXPECT_EQ(pin->head(), keys[i]);
      found.keys += keys[i];
    }
  }
  EXPECT_EQ(cache->stats().objects, static_cast<std::size_t>(std::ranges::count(found.keys, '/')));
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (found.keys.contains(keys[i])) continue;
    EXPECT_TRUE(store_now(*cache, new_object(keys[i], body(i), keys[i])));
  }
  cache.reset();
  found.log = testing::internal::GetCapturedStderr();
  return found;
}

struct FormatTest : testing::Test {
  void SetUp() override { EXPECT_EQ(look(folder.path()).keys, ""); }
  /// All is there again, and nothing is said about it.
  void TearDown() override {
    Seen again = look(folder.path());
    EXPECT_EQ(again.keys, "/small/photo/segment");
    EXPECT_EQ(again.log.find("level=warn"), again.log.npos) << again.log;
  }
  store::Env env_of(const char* shelf) {
    return store::Env::open(folder / shelf, {.map_size_bytes = 512 << 20}).value();
  }
  /// Overwrites bytes of both of LMDB's meta pages.
  void change_meta_pages(const char* shelf, std::uint64_t at, std::string_view bytes) {
    auto file = store::open_write(folder / shelf / "data.mdb").value();
    for (std::uint64_t page : {0, 1}) {
      ASSERT_TRUE(store::write_all_at(file.get(), bytes, page * page_bytes + at));
    }
  }

  tests::TemporaryFolder folder;
};

/// Of the header record of a key.
HeaderName name_of(const store::Env& env, store::Table table, std::string_view key) {
  HeaderName found;
  EXPECT_TRUE(store::walk(env, table, [&](std::string_view at, std::string_view) {
    auto name = parse_header_key(at);
    if (name && name->hash == digest128(key)) found = *name;
  }));
  return found;
}

void expect_logged(const Seen& found, std::string_view event) {
  EXPECT_NE(found.log.find(event), found.log.npos) << found.log;
}

TEST_F(FormatTest, ARecordOfAnotherVersionIsDroppedAlone) {
  for (char version : {'\1', '\3', '\x7f'}) {
    {
      auto env = env_of("small");
      store::Table table = env.table(objects_table).value();
      HeaderKey key = header_key(name_of(env, table, "/photo"));
      auto txn = env.write().value();
      std::string record(txn.get(table, view(key)).value().value());
      ASSERT_EQ(record.substr(0, 4), "TRO\2") << "the version stands in front of the checksum";
      record[3] = version;
      ASSERT_TRUE(txn.put(table, view(key), record));
      ASSERT_TRUE(txn.commit());
    }
    Seen found = look(folder.path());
    EXPECT_EQ(found.keys, "/small/segment");
    expect_logged(found, "event=\"cache records dropped at open\" records=1");
  }
}

/// Of a later LMDB, or made where pages are larger.
TEST_F(FormatTest, AnEnvironmentOfAnotherVersionIsSetAside) {
  constexpr std::uint64_t version_at = 16 + 4, page_size_at = 16 + 24;
  struct Case {
    const char* shelf;
    std::uint64_t at;
    std::string_view bytes;
    const char* left;  // without the small one nothing tells what lies in the others
  };
  for (const Case& c :
       {Case{"small", version_at, "\2", ""}, Case{"medium", version_at, "\2", "/small/segment"},
        Case{"large", version_at, "\3", "/small/photo"},
        Case{"small", page_size_at, std::string_view("\0\x40", 2), ""},
        Case{"medium", page_size_at, std::string_view("\0\x20", 2), "/small/segment"}}) {
    SCOPED_TRACE(std::string(c.shelf) + " at " + std::to_string(c.at));
    change_meta_pages(c.shelf, c.at, c.bytes);
    Seen found = look(folder.path());
    EXPECT_EQ(found.keys, c.left);
    expect_logged(found, "event=\"cache files set aside\"");
  }
}

TEST_F(FormatTest, AnEnvironmentWithOtherTablesIsSetAside) {
  for (const char* table : {"objects_3", "blobs"}) {
    ASSERT_TRUE(env_of("small").table(table));
    Seen found = look(folder.path());
    EXPECT_EQ(found.keys, "");
    expect_logged(found, "event=\"cache files set aside\"");
  }
}

TEST_F(FormatTest, HeadersKeptByTheirHashesAreOfAnOlderFormat) {
  ASSERT_TRUE(env_of("small").table(older_objects_table));
  Seen found = look(folder.path());
  EXPECT_EQ(found.keys, "");
  expect_logged(found, "event=\"cache files set aside\"");
  expect_logged(found, "it is of an older format");
}

TEST_F(FormatTest, AMarkerOfAnotherFormIsNotBelieved) {
  for (const char* text : {"2 clean 0 all\n", "stopped\n"}) {
    ASSERT_TRUE(store::write_atomically(folder / "state", text));
    Seen found = look(folder.path());
    EXPECT_EQ(found.keys, "");
    expect_logged(found, "event=\"cache files set aside\"");
  }
}

net::Task<void> look_up(const Lookup& lookup, bool& found) {
  found = static_cast<bool>(co_await lookup.find("/photo"));
}

bool is_found(const Lookup& lookup) {
  bool found = true;
  net::asio::io_context io(1);
  net::spawn(io, look_up(lookup, found));
  io.run();
  return found;
}

/// The head is the cache's to keep, not to read.
TEST_F(FormatTest, AHeadOfAnotherVersionIsDropped) {
  auto cache = opened(folder.path());
  PurgeLog purges(true);
  net::Blocking blocking(1);
  Lookup lookup(*cache, purges, blocking);
  testing::internal::CaptureStderr();
  for (std::string_view version : {"1", "3", "2"}) {
    http::Headers fields{{"Cache-Control", "max-age=60"}};
    std::string head = encode(make_stored(200, fields, {}, {}));
    head.replace(head.find('2'), 1, version);
    ASSERT_TRUE(store_now(*cache, new_object("/photo", body(1), head)));
    EXPECT_EQ(is_found(lookup), version == "2");
    EXPECT_EQ(cache->has("/photo"), version == "2");
  }
  expect_logged({{}, testing::internal::GetCapturedStderr()},
                "event=\"stored heads of another form are dropped\" key=/photo");
  cache->remove("/photo", nullptr);
  ASSERT_TRUE(store_now(*cache, new_object("/photo", body(1), "/photo")));
}

}  // namespace
}  // namespace relay::edge::cache
