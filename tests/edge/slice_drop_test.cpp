// Slices of a version that was replaced: they go, and nobody takes it for their use.
#include "edge/slice_drop.hpp"

#include <gtest/gtest.h>

#include "edge/slicing.hpp"
#include "tests/support/cache_bodies.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/temporary_folder.hpp"

namespace relay::edge {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t slice_bytes = 1000, slices = 40;

StoredPtr version(const char* etag) {
  std::vector<http::Field> fields = {{"Accept-Ranges", "bytes"}, {"ETag", etag}};
  StoredResponse stored = make_stored(200, fields, WallTime{}, WallTime{});
  stored.sliced_bytes = slices * slice_bytes;
  return std::make_shared<const StoredResponse>(std::move(stored));
}

void drop(cache::Cache& cache, const StoredPtr& stored) {
  net::asio::io_context io(1);
  net::spawn(io, drop_slices(cache, "/a", stored, slice_bytes));
  io.run();
}

TEST(SliceDrop, TheSlicesOfThatVersionGoAndCountAsUsedByNobody) {
  tests::TemporaryFolder folder;
  Metrics metrics;
  auto opened = cache::Cache::open({.path = folder.path()}, metrics);
  ASSERT_TRUE(opened);
  cache::Cache& cache = **opened;
  StoredPtr old = version("\"a\""), now = version("\"b\"");
  for (const StoredPtr& each : {old, now}) {
    for (std::uint64_t i = 0; i < slices; ++i) {
      std::string key = slice_key("/a", *each, slice_bytes, i);
      ASSERT_TRUE(tests::store_now(cache, tests::new_object(key, tests::body_of(slice_bytes, i))));
    }
  }
  auto requests = [&] { return cache.forecast()->sampled_requests; };
  ASSERT_TRUE(tests::eventually([&] { return requests() == 2 * slices; }));
  drop(cache, old);
  EXPECT_EQ(cache.size(), slices);
  EXPECT_FALSE(cache.peek(slice_key("/a", *old, slice_bytes, 7)));
  // One use that is told: when it has come, the others would have.
  EXPECT_TRUE(cache.find(slice_key("/a", *now, slice_bytes, 7)));
  ASSERT_TRUE(tests::eventually([&] { return requests() > 2 * slices; }));
  EXPECT_EQ(requests(), 2 * slices + 1);
}

}  // namespace
}  // namespace relay::edge
