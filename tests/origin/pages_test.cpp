#include "origin/web/pages.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "origin/web/embedded.hpp"

namespace relay::origin::web {
namespace {

std::optional<http::Response> get(std::string_view target, std::vector<http::Field> fields = {},
                                  std::string_view method = "GET", bool has_asset = true) {
  return page(
      {.method = method, .target = target, .minor_version = 1, .fields = fields, .body = {}},
      [&] { return has_asset; });
}

std::string field(const http::Response& response, std::string_view name) {
  return std::string(response.headers.find(name).value_or("(none)"));
}

/// "/static/{hash}/" as the watch page names it.
std::string static_folder() {
  std::string body = get("/watch/demo/final")->body;
  std::size_t at = body.find("/static/");
  return body.substr(at, body.find('/', at + 8) + 1 - at);
}

TEST(Pages, OnlyTheirPathsAndReadingMethodsAreAnswered) {
  for (std::string_view target :
       {"/", "/?tenant=demo", "/watch/demo/final", "/watch/d/f?t=3", "/desk/demo/final"})
    EXPECT_EQ(get(target)->status, 200) << target;
  for (std::string_view target :
       {"/watch", "/watch/demo", "/watch/demo/", "/watch//final", "/watch/demo/final/more",
        "/desk/demo", "/demo/final/index.m3u8", "/api/v1/demo/assets", "/index.html"})
    EXPECT_FALSE(get(target)) << target;
  EXPECT_TRUE(get("/", {}, "HEAD"));
  EXPECT_FALSE(get("/", {}, "POST"));
}

/// Scripts in it go on looking, so it comes with all that the watch page has.
TEST(Pages, TheWatchPageOfNothingIsA404ThatSaysSo) {
  auto response = *get("/watch/demo/none", {{"If-None-Match", "*"}}, "GET", false);
  EXPECT_EQ(response.status, 404);
  EXPECT_NE(response.body.find("<title>There is nothing at this address"), std::string::npos);
  EXPECT_NE(response.body.find("/watch.js"), std::string::npos);
  EXPECT_EQ(field(response, "Cache-Control"), "public, max-age=1");
  EXPECT_EQ(field(response, "ETag"), "(none)");
  EXPECT_EQ(field(response, "Content-Security-Policy"),
            field(*get("/watch/demo/final"), "Content-Security-Policy"));
  EXPECT_EQ(get("/", {}, "GET", false)->status, 200) << "no other page asks";
}

TEST(Pages, NoPageRunsInlineScriptAndOnlyTheWatchPageMayBeFramed) {
  for (std::string_view target : {"/", "/watch/demo/final", "/desk/demo/final"}) {
    auto response = *get(target);
    std::string policy = field(response, "Content-Security-Policy");
    EXPECT_TRUE(policy.starts_with("default-src 'none'; script-src 'self';")) << policy;
    EXPECT_EQ(policy.find("unsafe"), std::string::npos);
    EXPECT_EQ(policy.find("frame-ancestors") != std::string::npos, target != "/watch/demo/final");
    EXPECT_EQ(response.body.find("<script>"), std::string::npos);
    EXPECT_EQ(response.body.find("onclick"), std::string::npos);
    EXPECT_EQ(response.body.find("{{"), std::string::npos) << "a mark was left in the page";
    EXPECT_EQ(field(response, "X-Content-Type-Options"), "nosniff");
    EXPECT_EQ(field(response, "Cache-Control"), "public, max-age=60, must-revalidate");
  }
}

TEST(Pages, APageThatTheBrowserHasIsNotSentAgain) {
  auto first = *get("/");
  std::string tag = field(first, "ETag");
  for (std::string known : {tag, "W/" + tag, "\"other\", " + tag, std::string("*")}) {
    auto second = *get("/", {{"If-None-Match", known}});
    EXPECT_EQ(second.status, 304) << known;
    EXPECT_EQ(second.body, "");
    EXPECT_EQ(field(second, "ETag"), tag);
  }
  EXPECT_EQ(get("/", {{"If-None-Match", "\"other\""}})->status, 200);
}

// What the browser refuses is a line on the viewer's console and a track that stays empty.
TEST(Pages, ThePolicyLetsThePlayerBeginItsCaptionTracks) {
  std::string policy = field(*get("/watch/demo/a"), "Content-Security-Policy");
  EXPECT_TRUE(policy.contains("media-src 'self' blob: data:;")) << policy;
  EXPECT_TRUE(policy.contains("default-src 'none'; script-src 'self';")) << policy;
}

TEST(Pages, EveryStaticFileIsImmutableUnderItsHash) {
  std::string folder = static_folder();
  ASSERT_EQ(folder.size(), std::string_view("/static//").size() + 32);
  bool has_player = false;
  for (const EmbeddedFile& file : static_files()) {
    auto response = *get(folder + std::string(file.name));
    EXPECT_EQ(response.status, 200) << file.name;
    EXPECT_EQ(response.body, file.bytes);
    EXPECT_EQ(field(response, "Cache-Control"), "public, max-age=31536000, immutable");
    EXPECT_EQ(field(response, "Content-Type"), file.content_type);
    has_player |= file.name == "hls.min.js";
  }
  EXPECT_TRUE(has_player);
  EXPECT_EQ(get(folder + "nothing.js")->status, 404);
  EXPECT_EQ(get("/static/00000000000000000000000000000000/watch.js")->status, 404);
  EXPECT_EQ(get("/static/watch.js")->status, 404);
}

TEST(Pages, StaticFilesAreCompressedForThoseWhoTakeIt) {
  std::string target = static_folder() + "hls.min.js";
  auto plain = *get(target);
  EXPECT_EQ(field(plain, "Content-Encoding"), "(none)");
  EXPECT_EQ(field(plain, "Vary"), "Accept-Encoding");
  auto packed = *get(target, {{"Accept-Encoding", "br, gzip;q=0.8"}});
  EXPECT_EQ(field(packed, "Content-Encoding"), "gzip");
  EXPECT_EQ(packed.body.substr(0, 2), "\x1f\x8b");
  EXPECT_LT(packed.body.size(), plain.body.size() / 2);
  EXPECT_NE(field(packed, "ETag"), field(plain, "ETag"));
  auto refused = *get(target, {{"Accept-Encoding", "gzip;q=0"}});
  EXPECT_EQ(field(refused, "Content-Encoding"), "(none)");
}

}  // namespace
}  // namespace relay::origin::web
