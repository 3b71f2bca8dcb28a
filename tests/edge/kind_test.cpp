// What a response is to a player; and text that came packed.
#include "edge/hls/kind.hpp"

#include <gtest/gtest.h>
#include <string>

#include "common/http/gzip.hpp"

namespace relay::edge::hls {
namespace {

TEST(Kind, IsJudgedByTypeAndAddress) {
  struct Case {
    std::string_view target, type;
    Kind kind;
  };
  for (const Case& c : {
           Case{"/demo/final/index.m3u8", "application/vnd.apple.mpegurl", Kind::playlist},
           Case{"/live", "Audio/MpegURL; charset=utf-8", Kind::playlist},
           Case{"/a.m3u8?token=1", "text/plain", Kind::playlist},
           Case{"/a/manifest.mpd", "", Kind::playlist},
           Case{"/a/init.mp4", "video/mp4", Kind::lasting},
           Case{"/a/init-v1.m4s", "", Kind::lasting},
           Case{"/a/1.key", "application/octet-stream", Kind::lasting},
           Case{"/a/17.m4s", "video/iso.segment", Kind::segment},
           Case{"/a/17.ts?x=1.m3u8", "application/octet-stream", Kind::segment},
           Case{"/a/17", "video/mp2t", Kind::segment},
           Case{"/a/de/3.vtt", "text/vtt", Kind::segment},
           Case{"/init", "text/html", Kind::other},
           Case{"/a.m4s/page", "text/html", Kind::other},
           Case{"/photo/w640.webp", "image/webp", Kind::other},
           Case{"/", "", Kind::other},
       }) {
    EXPECT_EQ(kind_of(c.target, c.type), c.kind) << c.target << " " << c.type;
  }
}

TEST(Kind, WhatEveryViewerNeedsIsWorthMore) {
  EXPECT_GT(value_of(Kind::playlist), value_of(Kind::segment));
  EXPECT_GT(value_of(Kind::lasting), value_of(Kind::segment));
  EXPECT_EQ(value_of(Kind::segment), value_of(Kind::other));
}

TEST(Gunzip, GivesTheTextBackUpToItsBound) {
  std::string text;
  for (int i = 0; i < 30'000; ++i) text += std::to_string(i) + ".m4s\n";
  EXPECT_EQ(http::gunzip(http::gzip(text), 1 << 20), text);
  EXPECT_EQ(http::gunzip(http::gzip(text), text.size()), text);
  EXPECT_EQ(http::gunzip(http::gzip(text), text.size() - 1), std::nullopt);
  EXPECT_EQ(http::gunzip(http::gzip(""), 10), "");
  EXPECT_EQ(http::gunzip(http::gzip(std::string(50 << 20, 'a')), 1 << 20), std::nullopt)
      << "a bomb";
}

TEST(Gunzip, RefusesWhatIsNotWholeAndRight) {
  std::string packed = http::gzip("some text that is long enough to be cut somewhere");
  EXPECT_EQ(http::gunzip(packed.substr(0, packed.size() - 1), 1000), std::nullopt);
  EXPECT_EQ(http::gunzip(packed + "x", 1000), std::nullopt);
  std::string wrong = packed;
  wrong[packed.size() - 6] ^= 1;  // of its checksum
  EXPECT_EQ(http::gunzip(wrong, 1000), std::nullopt);
  EXPECT_EQ(http::gunzip("#EXTM3U\n", 1000), std::nullopt);
  EXPECT_EQ(http::gunzip("", 1000), std::nullopt);
}

}  // namespace
}  // namespace relay::edge::hls
