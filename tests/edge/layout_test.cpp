// The bytes on disk: keys in order, records that survive a round trip and nothing else, and sizes
// that fill whole pages.
#include "edge/cache/layout.hpp"

#include <gtest/gtest.h>

namespace relay::edge::cache {
namespace {

TEST(Layout, ChunksOfABody) {
  struct Case {
    std::uint64_t body;
    ShelfName shelf;
    std::size_t chunks, last_size, last_value;
  };
  for (const Case& c :
       {Case{1, ShelfName::small, 1, 1, 4080}, Case{4080, ShelfName::small, 1, 4080, 4080},
        Case{4081, ShelfName::small, 1, 4081, 8176}, Case{16368, ShelfName::small, 1, 16368, 16368},
        Case{16369, ShelfName::medium, 1, 16369, 65520},
        Case{65520, ShelfName::medium, 1, 65520, 65520},
        Case{65521, ShelfName::medium, 1, 65521, 131056},
        Case{131056, ShelfName::medium, 1, 131056, 131056},
        Case{131057, ShelfName::medium, 2, 1, 65520}, Case{655360, ShelfName::medium, 6, 80, 65520},
        Case{655361, ShelfName::large, 1, 655361, 786416},
        Case{1048560, ShelfName::large, 1, 1048560, 1048560},
        Case{4000000, ShelfName::large, 4, 854320, 1048560}}) {
    SCOPED_TRACE(c.body);
    EXPECT_EQ(shelf_of(c.body), c.shelf);
    ASSERT_EQ(chunk_count(c.body), c.chunks);
    EXPECT_EQ(chunk_size(c.body, c.chunks - 1), c.last_size);
    EXPECT_EQ(value_size(c.body, c.chunks - 1), c.last_value);
  }
  EXPECT_EQ(chunk_count(0), 0u);
}

TEST(Layout, ValuesFillWholePages) {
  for (std::uint64_t body = 1; body < 3'000'000; body += 9'997) {
    for (std::size_t i = 0; i < chunk_count(body); ++i) {
      EXPECT_EQ((value_size(body, i) + 16) % 4096, 0u) << body;
    }
  }
}

TEST(Layout, ChargeCoversEveryPage) {
  EXPECT_GE(charge_of(0, 200), 200u);
  EXPECT_GE(charge_of(1, 200), 4096u + 200);
  EXPECT_GE(charge_of(131057, 200), 131072u + 65536 + 200);
  EXPECT_GE(charge_of(1048561, 200), 1048576u + 262144 + 200);
  EXPECT_LE(charge_of(131057, 200), 131072u + 65536 + 400);
  EXPECT_GE(charge_of(1, 5000), 4096u + 8192);  // a record above half a page has pages of its own
}

TEST(Layout, ChunkKeysSortByIdThenNumber) {
  EXPECT_EQ(view(chunk_key(1, 2)), std::string_view("\0\0\0\0\0\0\0\1\0\0\0\2", 12));
  EXPECT_LT(view(chunk_key(1, 256)), view(chunk_key(2, 0)));
  EXPECT_LT(view(chunk_key(255, 9)), view(chunk_key(256, 1)));
  EXPECT_EQ(parse_chunk_key(view(chunk_key(7, 8))), (ChunkName{7, 8}));
  EXPECT_FALSE(parse_chunk_key("short"));
}

TEST(Layout, HeaderKeysSortByIdThenHash) {
  EXPECT_EQ(view(header_key({1, {2, 3}})),
            std::string_view("\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\3", 24));
  EXPECT_LT(view(header_key({255, {9, 9}})), view(header_key({256, {1, 1}})));
  EXPECT_LT(view(header_key({7, {1, 9}})), view(header_key({7, {2, 1}})));
  EXPECT_EQ(parse_header_key(view(header_key({7, {8, 9}}))), (HeaderName{7, {8, 9}}));
  EXPECT_FALSE(parse_header_key("short"));
}

Record sample() {
  return {77, 1234567, {1, 2}, 2.5, "http://a/b?c=d", std::string("200\0head", 8)};
}

TEST(Layout, ARecordIsOfItsIdAndItsKey) {
  Digest128 hash = digest128(sample().key);
  EXPECT_TRUE(is_of(sample(), {77, hash}));
  EXPECT_FALSE(is_of(sample(), {78, hash}));
  EXPECT_FALSE(is_of(sample(), {77, {hash.high, hash.low + 1}}));
}

TEST(Layout, RecordRoundTrip) {
  EXPECT_EQ(decode(encode(sample())), sample());
  Record empty;
  EXPECT_EQ(decode(encode(empty)), empty);
}

TEST(Layout, DamagedRecordsAreRefused) {
  std::string good = encode(sample());
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x10);
    EXPECT_FALSE(decode(bad)) << "byte " << i;
    EXPECT_FALSE(decode(std::string_view(good).substr(0, i))) << "cut at " << i;
  }
  EXPECT_FALSE(decode(good + "x"));
}

}  // namespace
}  // namespace relay::edge::cache
