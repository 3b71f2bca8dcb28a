// What a purge costs, counted in objects that are looked at; and what is taken away behind it.
#include "edge/purge_sweep.hpp"

#include <gtest/gtest.h>

#include "edge/edge.hpp"
#include "edge/part.hpp"
#include "tests/support/cache_bodies.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/temporary_folder.hpp"

namespace relay::edge {
namespace {

constexpr std::size_t many = PurgeSweep::at_once_objects_max + 1000;

std::string head_of(std::vector<http::Field> fields = {}) {
  return encode(make_stored(200, fields, WallTime{}, WallTime{}));
}

struct Box {
  explicit Box(std::size_t objects) {
    settings.cache_path = folder.path().string();
    auto opened_cache = cache::Cache::open({settings.cache_path, 64 << 20}, metrics);
    if (!opened_cache) throw std::runtime_error(opened_cache.error().message);
    cache = std::move(*opened_cache);
    auto opened = PurgeJournal::open(folder / "purges");
    if (!opened) throw std::runtime_error(opened.error().message);
    edge.emplace(settings, *cache, members, trust, blocking, std::move(*opened), metrics,
                 access_log);
    for (std::size_t i = 0; i < objects; ++i) {
      std::string key = (i % 2 ? "/odd/" : "/even/") + std::to_string(i);
      cache->store(tests::new_object(std::move(key), "", head), [](bool) {});
    }
    EXPECT_TRUE(tests::eventually([&] { return cache->size() == objects; }));
  }
  std::uint64_t walked() const { return cache->stats().walked; }
  Purger::Purged purge(std::string_view json) {
    auto purge = parse_purge(json);
    auto purged = edge->purger().purge(*purge);
    if (!purged) ADD_FAILURE() << purged.error().message;
    return purged.value_or(Purger::Purged{});
  }

  tests::TemporaryFolder folder;
  Settings settings;
  Metrics metrics;
  AccessLog access_log;
  net::Blocking blocking{1};
  fleet::Members members{"edge-1", {}, std::chrono::milliseconds(1000)};
  fleet::Trust trust{"edge-1", {}, std::chrono::seconds(5), steady_now()};
  const std::string head = head_of({{"Cache-Tag", "red"}});
  std::unique_ptr<cache::Cache> cache;
  std::optional<Edge> edge;
};

class Cost : public testing::TestWithParam<const char*> {};

TEST_P(Cost, does_not_grow_with_the_cache) {
  Box box(many);
  std::uint64_t before = box.walked();
  Purger::Purged purged = box.purge(GetParam());
  EXPECT_EQ(box.walked(), before);
  EXPECT_FALSE(purged.objects);
  EXPECT_GT(purged.number, 0u);
}
INSTANTIATE_TEST_SUITE_P(Purge, Cost,
                         testing::Values(R"({"prefix":"/odd/"})", R"({"tenant":"odd"})",
                                         R"({"tag":"red"})", R"({"url":"/odd/1"})",
                                         R"({"all":true})", R"({"all":true,"soft":true})"));

TEST(PurgeSweep, takes_away_behind_a_purge_what_it_named) {
  Box box(many);
  box.purge(R"({"prefix":"/odd/"})");
  EXPECT_EQ(box.cache->size(), many);
  box.edge->start();
  EXPECT_TRUE(tests::eventually([&] { return box.cache->size() == many / 2; }));
  EXPECT_TRUE(box.cache->find("/even/0"));
  EXPECT_FALSE(box.cache->find("/odd/1"));
  box.purge(R"({"tag":"red"})");
  EXPECT_TRUE(tests::eventually([&] { return box.cache->size() == 0; }));
}

TEST(PurgeSweep, a_small_cache_is_swept_before_the_answer) {
  Box box(100);
  EXPECT_EQ(box.purge(R"({"tenant":"odd"})").objects, 50u);
  EXPECT_EQ(box.cache->size(), 50u);
  EXPECT_EQ(box.purge(R"({"tag":"blue"})").objects, 0u);
}

TEST(PurgeSweep, writes_down_what_is_stale) {
  Box box(2);
  EXPECT_EQ(box.purge(R"({"tenant":"odd","soft":true})").objects, 1u);
  auto stored = decode(box.cache->find("/odd/1")->head());
  ASSERT_TRUE(stored);
  EXPECT_TRUE(stored->stale_from);
  EXPECT_EQ(box.purge(R"({"tenant":"none"})").objects, 0u) << "once is enough";
}

TEST(PurgeSweep, a_part_becomes_stale_like_a_whole) {
  Box box(0);
  http::Headers fields{{"Cache-Control", "max-age=60"}};
  auto part = make_part("bytes=-1", fields, WallTime{}, WallTime{});
  ASSERT_TRUE(tests::store_now(*box.cache, tests::new_object("/x\n\npart", "1", encode(part))));
  EXPECT_EQ(box.purge(R"({"url":"/x","soft":true})").objects, 1u);
  auto stored = decode(box.cache->find("/x\n\npart")->head());
  ASSERT_TRUE(stored);
  EXPECT_TRUE(stored->stale_from);
}

TEST(PurgeSweep, a_head_that_nobody_can_read_goes) {
  Box box(0);
  ASSERT_TRUE(tests::store_now(*box.cache, tests::new_object("/x", "", "torchrelay 1 …")));
  EXPECT_EQ(box.purge(R"({"tenant":"none"})").objects, 1u);
}

}  // namespace
}  // namespace relay::edge
