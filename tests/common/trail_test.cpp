// Cache-Status, Via, CDN-Loop, and what does not travel on.
#include "common/http/trail.hpp"

#include <gtest/gtest.h>

#include "common/http/structured_field.hpp"

namespace relay::http {
namespace {

CacheStatus hit() {
  CacheStatus entry;
  entry.cache = "edge-1";
  entry.hit = true;
  entry.ttl = Seconds(30);
  return entry;
}

TEST(CacheStatusEntry, Written) {
  EXPECT_EQ(write(hit()), "edge-1; hit; ttl=30");
  CacheStatus miss;
  miss.cache = "edge 2";
  miss.forward = Forward::uri_miss;
  miss.forward_status = 200;
  miss.ttl = Seconds(-5);
  miss.stored = miss.collapsed = true;
  miss.key = "/a\"b\\\x01";
  miss.detail = "two words";
  EXPECT_EQ(write(miss),
            "\"edge 2\"; fwd=uri-miss; fwd-status=200; ttl=-5; stored; collapsed; "
            "key=\"/a\\\"b\\\\?\"; detail=\"two words\"");
  EXPECT_TRUE(structured::read_list(write(miss)));
  miss.detail = "POOL_BUSY";
  EXPECT_TRUE(write(miss).ends_with("; detail=POOL_BUSY"));
}

TEST(CacheStatusEntry, EveryForwardIsAToken) {
  for (auto forward : {Forward::bypass, Forward::method, Forward::uri_miss, Forward::vary_miss,
                       Forward::miss, Forward::request, Forward::stale, Forward::partial}) {
    EXPECT_FALSE(name(forward).empty());
  }
  EXPECT_EQ(name(Forward::vary_miss), "vary-miss");
}

TEST(Trail, AppendsToWhatIsThere) {
  Headers headers{
      {"Cache-Status", "origin; hit"}, {"X", "y"}, {"cache-status", "parent; fwd=miss"}};
  append_cache_status(headers, hit());
  EXPECT_EQ(headers.find("Cache-Status"), "origin; hit, parent; fwd=miss, edge-1; hit; ttl=30");
  EXPECT_EQ(count(headers, "cache-status"), 1u);
  append_via(headers, 1, "edge-1");
  append_via(headers, 0, "edge-2");
  EXPECT_EQ(headers.find("via"), "1.1 edge-1, 1.0 edge-2");
}

TEST(CdnLoop, CountAndFind) {
  Headers request{{"CDN-Loop", "foo123; bar=\"a, edge-3\", edge-1"}, {"cdn-loop", "edge-2;x"}};
  EXPECT_EQ(cdn_loop_count(request), 3u);
  EXPECT_TRUE(cdn_loop_has(request, "foo123"));
  EXPECT_TRUE(cdn_loop_has(request, "Edge-2"));
  EXPECT_FALSE(cdn_loop_has(request, "edge-3"));
  EXPECT_FALSE(cdn_loop_has(request, "edge"));
  append_cdn_loop(request, "edge-4");
  EXPECT_EQ(cdn_loop_count(request), 4u);
  EXPECT_TRUE(cdn_loop_has(request, "edge-4"));
  EXPECT_EQ(cdn_loop_count({}), 0u);
}

TEST(MaxForwards, CountsForTwoMethods) {
  Headers five{{"Max-Forwards", "5"}}, word{{"Max-Forwards", "-1"}};
  EXPECT_EQ(forwards_left("OPTIONS", five), 5u);
  EXPECT_EQ(forwards_left("TRACE", five), 5u);
  EXPECT_EQ(forwards_left("GET", five), std::nullopt);
  EXPECT_EQ(forwards_left("TRACE", word), std::nullopt);
  EXPECT_EQ(forwards_left("TRACE", {}), std::nullopt);
}

TEST(EndToEnd, DropsWhatBelongsToOneConnection) {
  Headers fields{{"Connection", "X-Hop, close, cache-control"},
                 {"Keep-Alive", "timeout=5"},
                 {"Transfer-Encoding", "chunked"},
                 {"TE", "trailers"},
                 {"Upgrade", "h2c"},
                 {"Trailer", "X"},
                 {"Proxy-Authorization", "x"},
                 {"x-hop", "1"},
                 {"Connection", "x-second, content-length, host"},
                 {"X-Second", "2"},
                 {"Cache-Control", "no-store"},
                 {"Content-Length", "5"},
                 {"Host", "h"},
                 {"X-Other", "3"}};
  std::string text;
  end_to_end(fields).append_to(text);
  EXPECT_EQ(text, "Cache-Control: no-store\r\nContent-Length: 5\r\nHost: h\r\nX-Other: 3\r\n");
  EXPECT_TRUE(is_hop_by_hop("proxy-CONNECTION"));
  EXPECT_FALSE(is_hop_by_hop("Content-Length"));
}

}  // namespace
}  // namespace relay::http
