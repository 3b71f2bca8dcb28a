#include "edge/hls/directives.hpp"

#include <gtest/gtest.h>

namespace relay::edge::hls {
namespace {

TEST(Directives, OnlyTheyAreTakenAway) {
  EXPECT_EQ(without_directives("/p.m3u8?_HLS_msn=3&_HLS_part=1"), "/p.m3u8");
  EXPECT_EQ(without_directives("/p.m3u8?token=a&_HLS_msn=3&b=2&_HLS_skip=YES"),
            "/p.m3u8?token=a&b=2");
  EXPECT_EQ(without_directives("/p.m3u8?token=_HLS_msn"), "/p.m3u8?token=_HLS_msn");
  EXPECT_EQ(without_directives("/p.m3u8"), "/p.m3u8");
  EXPECT_TRUE(has_directives("/p.m3u8?a=1&_HLS_skip=YES"));
  EXPECT_FALSE(has_directives("/_HLS_msn.m3u8?a=_HLS_"));
}

TEST(Directives, MoreQueryGoesBehind) {
  EXPECT_EQ(with_query("/p.m3u8", "_HLS_msn=3"), "/p.m3u8?_HLS_msn=3");
  EXPECT_EQ(with_query("/p.m3u8?token=a", "_HLS_msn=3"), "/p.m3u8?token=a&_HLS_msn=3");
  EXPECT_EQ(with_query("/p.m3u8", ""), "/p.m3u8");
}

TEST(Directives, PartsAndPlaylistsAreKnownByTheirNames) {
  EXPECT_TRUE(is_part("/t/a/v/v720/12.3.m4s"));
  EXPECT_TRUE(is_part("/t/a/v/v720/12.3.m4s?token=a"));
  EXPECT_FALSE(is_part("/t/a/v/v720/12.m4s"));
  EXPECT_FALSE(is_part("/t/a/v/v720/12.x.m4s"));
  EXPECT_FALSE(is_part("/t/a/v.1/12.m4s"));
  EXPECT_TRUE(is_playlist("/t/a/v/v720/index.m3u8?_HLS_msn=1"));
  EXPECT_FALSE(is_playlist("/t/a/v/v720/12.m4s?x=.m3u8"));
}

}  // namespace
}  // namespace relay::edge::hls
