#include "common/media/media_path.hpp"

#include <gtest/gtest.h>

namespace relay::media {
namespace {

TEST(MediaPath, AWholeAssetIsOneFileOfItsVersion) {
  std::string path = download_path("demo", "final", "0abc");
  auto download = parse_media_path(path);
  ASSERT_TRUE(download);
  EXPECT_EQ(download->kind, MediaKind::download);
  EXPECT_EQ(download->tenant, "demo");
  EXPECT_EQ(download->asset, "final");
  EXPECT_EQ(download->version, "0abc");
  EXPECT_FALSE(parse_media_path("/demo/final/0abc/other.mp4"));
  EXPECT_FALSE(parse_media_path("/api/final/0abc/download.mp4"));
}

TEST(MediaPath, KnowsEveryKindOfUrl) {
  auto multivariant = parse_media_path("/demo/final/index.m3u8");
  ASSERT_TRUE(multivariant);
  EXPECT_EQ(multivariant->kind, MediaKind::multivariant);
  EXPECT_EQ(multivariant->tenant, "demo");
  EXPECT_EQ(multivariant->asset, "final");

  auto playlist = parse_media_path("/demo/final/v1/v720/index.m3u8");
  ASSERT_TRUE(playlist);
  EXPECT_EQ(playlist->kind, MediaKind::media_playlist);
  EXPECT_EQ(playlist->version, "v1");
  EXPECT_EQ(playlist->rendition, "v720");

  auto i_frames = parse_media_path("/demo/final/v1/v720/iframes.m3u8");
  ASSERT_TRUE(i_frames);
  EXPECT_EQ(i_frames->kind, MediaKind::i_frames);

  auto init = parse_media_path("/demo/final/v1/audio/init.mp4");
  ASSERT_TRUE(init);
  EXPECT_EQ(init->kind, MediaKind::init);

  auto segment = parse_media_path("/demo/final/v1/audio/120.m4s");
  ASSERT_TRUE(segment);
  EXPECT_EQ(segment->kind, MediaKind::segment);
  EXPECT_EQ(segment->number, 120);
  auto part = parse_media_path("/demo/final/v1/audio/120.3.m4s");
  ASSERT_TRUE(part);
  EXPECT_EQ(part->kind, MediaKind::part);
  EXPECT_EQ(part->number, 120);
  EXPECT_EQ(part->part, 3);
  auto sheet = parse_media_path("/demo/final/v1/thumbnails/120.jpg");
  ASSERT_TRUE(sheet);
  EXPECT_EQ(sheet->kind, MediaKind::thumbnails);
  EXPECT_EQ(sheet->number, 120);
  EXPECT_FALSE(parse_media_path("/demo/final/v1/thumbnails/120.3.jpg"));
  EXPECT_FALSE(parse_media_path("/demo/final/v1/audio/120.03.m4s"));
  EXPECT_FALSE(parse_media_path("/demo/final/v1/audio/120.3.1.m4s"));

  auto photo = parse_media_path("/demo/start/w640.webp");
  ASSERT_TRUE(photo);
  EXPECT_EQ(photo->kind, MediaKind::photo);
  EXPECT_EQ(photo->width, 640);
  EXPECT_EQ(photo->extension, "webp");

  auto any = parse_media_path("/demo/start/w640");
  ASSERT_TRUE(any);
  EXPECT_EQ(any->kind, MediaKind::photo_any);

  auto watch = parse_media_path("/watch/demo/final");
  ASSERT_TRUE(watch);
  EXPECT_EQ(watch->kind, MediaKind::watch);
  EXPECT_EQ(watch->asset, "final");
}

TEST(MediaPath, RefusesEverythingElse) {
  for (std::string_view path : {"",
                                "/",
                                "demo/final/index.m3u8",
                                "/demo",
                                "/demo/final",
                                "/demo/final/",
                                "/demo//index.m3u8",
                                "/demo/final/index.m3u8/",
                                "/demo/../index.m3u8",
                                "/demo/.hidden/index.m3u8",
                                "/demo/final/other.m3u8",
                                "/demo/final/v1/index.m3u8",
                                "/demo/final/v1/v720/.m4s",
                                "/demo/final/v1/v720/01.m4s",
                                "/demo/final/v1/v720/-1.m4s",
                                "/demo/final/v1/v720/+1.m4s",
                                "/demo/final/v1/v720/1.m4s.m4s",
                                "/demo/final/v1/v720/99999999999999999999.m4s",
                                "/demo/final/v1/v720/x/1.m4s",
                                "/demo/final/v1/v720/1.mp4",
                                "/demo/p/w0.jpg",
                                "/demo/p/w0640.jpg",
                                "/demo/p/w70000.jpg",
                                "/demo/p/w640.",
                                "/demo/p/w640.gif",
                                "/demo/p/w640.jpg.webp",
                                "/demo/p q/w640.jpg",
                                "/api/final/index.m3u8",
                                "/watch/final/index.m3u8/x",
                                "/watch/api/final"}) {
    EXPECT_FALSE(parse_media_path(path)) << path;
  }
  EXPECT_FALSE(parse_media_path("/demo/" + std::string(65, 'a') + "/index.m3u8"));
  EXPECT_TRUE(parse_media_path("/demo/" + std::string(64, 'a') + "/index.m3u8"));
}

TEST(MediaPath, WritesWhatItReads) {
  EXPECT_EQ(multivariant_path("demo", "final"), "/demo/final/index.m3u8");
  EXPECT_EQ(version_prefix("demo", "final", "v1"), "/demo/final/v1/");
  EXPECT_EQ(photo_path("demo", "start", 640, "avif"), "/demo/start/w640.avif");
  EXPECT_TRUE(parse_media_path(photo_path("demo", "start", 640, "avif")));
}

TEST(MediaPath, NamesAreCheckedWithAReason) {
  EXPECT_TRUE(check_name("asset name", "Final_2026-07.mp4"));
  EXPECT_EQ(check_name("asset name", "").error().message, "asset name is empty");
  EXPECT_EQ(check_name("asset name", "a b").error().message,
            "asset name 'a b' has ' ' in it; allowed are A-Z a-z 0-9 . _ -");
  EXPECT_EQ(check_name("asset name", "a\x01").error().message,
            "asset name 'a?' has byte 0x01 in it; allowed are A-Z a-z 0-9 . _ -");
  EXPECT_EQ(check_name("asset name", "..").error().message, "asset name '..' begins with a dot");
  EXPECT_TRUE(check_name("asset name", std::string(64, 'x')));
  EXPECT_EQ(check_name("asset name", std::string(65, 'x')).error().kind, ErrorKind::invalid);
}

TEST(MediaPath, TenantsMayNotBeReservedWords) {
  EXPECT_TRUE(check_tenant("demo"));
  for (std::string_view word : {"api", "watch", "desk", "static", "metrics", "healthz", "readyz"}) {
    ASSERT_FALSE(check_tenant(word)) << word;
    EXPECT_FALSE(parse_media_path("/" + std::string(word) + "/a/v1/v720/0.m4s")) << word;
  }
  EXPECT_FALSE(check_tenant("a/b"));
}

TEST(MediaPath, ContentTypes) {
  EXPECT_EQ(content_type_of("index.m3u8"), "application/vnd.apple.mpegurl");
  EXPECT_EQ(content_type_of("init.mp4"), "video/mp4");
  EXPECT_EQ(content_type_of("0.m4s"), "video/iso.segment");
  EXPECT_EQ(content_type_of("w640.webp"), "image/webp");
  EXPECT_EQ(content_type_of("w640.jpg"), "image/jpeg");
  EXPECT_EQ(content_type_of("w640.avif"), "image/avif");
  EXPECT_EQ(content_type_of("nothing"), "application/octet-stream");
}

}  // namespace
}  // namespace relay::media
