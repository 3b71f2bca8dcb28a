#include "origin/asset.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace relay::origin {
namespace {

using std::chrono::milliseconds;

Asset video() {
  Asset asset;
  asset.tenant = "demo";
  asset.name = "final";
  asset.state = AssetState::processing;
  asset.title = "The final \"A\"";
  asset.tags = {"sport", "día"};
  asset.sha256 = std::string(64, 'b');
  asset.bytes = 1ull << 40;
  asset.created = WallTime(milliseconds(1792810231000));
  asset.updated = WallTime(milliseconds(1792810231007));
  asset.newest_version = asset.current_version = "1k85p9u4fqv54";
  asset.renditions = {{"v720", "avc1.64001f", 1280, 720, 29.97, 3000000, 2000000}, {"audio"}};
  asset.width = 1280;
  asset.height = 720;
  asset.duration_ms = 10010;
  return asset;
}

TEST(Asset, StoredFormKeepsEverything) {
  Asset asset = video();
  asset.photo_widths = {320, 640};
  asset.error = "why";
  auto read = asset_from_stored(to_stored(asset));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(to_stored(*read), to_stored(asset));
  EXPECT_EQ(read->renditions[0].frame_rate, 29.97);
  EXPECT_EQ(read->bytes, 1ull << 40);
  EXPECT_EQ(read->updated, asset.updated);
}

TEST(Asset, BrokenStoredFormIsCorrupt) {
  for (const char* text : {"", "{", "[]", "{}", "{\"tenant\":5}"}) {
    auto read = asset_from_stored(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().kind, ErrorKind::corrupt);
  }
}

TEST(Asset, PublicFormHasAddressesAndProgress) {
  auto out = to_public(video(), media::Progress{0.25, "encoding"});
  EXPECT_EQ(out["state"], "processing");
  EXPECT_EQ(out["progress"], 0.25);
  EXPECT_EQ(out["stage"], "encoding");
  EXPECT_EQ(out["playback"], "/demo/final/index.m3u8");
  EXPECT_EQ(out["watch"], "/watch/demo/final");
  EXPECT_EQ(out["renditions"].at(0).at("url"), "/demo/final/1k85p9u4fqv54/v720/index.m3u8");
  EXPECT_TRUE(out["error"].is_null());
}

TEST(Asset, WarningsAreTold) {
  Asset asset = video();
  EXPECT_EQ(to_public(asset, std::nullopt)["warnings"], boost::json::array());
  asset.warnings = {"the file ends early"};
  auto again = asset_from_stored(to_stored(asset));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(to_public(*again, std::nullopt)["warnings"], boost::json::array{"the file ends early"});
}

TEST(Asset, WhileItIsReplacedItTellsWhatViewersGetAndTheReplacementBesideIt) {
  Asset asset = video();
  asset.state = AssetState::ready;
  asset.current_whole = true;
  asset.current_sha256 = asset.sha256;
  asset.current_bytes = asset.bytes;
  EXPECT_TRUE(to_public(asset, std::nullopt)["replacement"].is_null());
  auto before = to_public(asset, std::nullopt);
  asset.newest_version = "1k85p9u4fqv99";
  asset.state = AssetState::processing;
  asset.sha256 = std::string(64, 'c');
  asset.bytes = 7;
  auto out = to_public(*asset_from_stored(to_stored(asset)), media::Progress{0.25, "encoding"});
  for (const char* same : {"version", "bytes", "sha256", "download", "playback", "renditions"})
    EXPECT_EQ(out[same], before[same]) << same;
  EXPECT_EQ(out["state"], "processing") << "of the last upload, as ever";
  auto expected = boost::json::object{{"version", "1k85p9u4fqv99"},
                                      {"state", "processing"},
                                      {"bytes", 7},
                                      {"sha256", std::string(64, 'c')},
                                      {"progress", 0.25},
                                      {"stage", "encoding"},
                                      {"error", nullptr}};
  EXPECT_EQ(out["replacement"], expected);
  asset.state = AssetState::failed;
  asset.error = "it is no video";
  out = to_public(asset, std::nullopt);
  EXPECT_EQ(out["replacement"].at("error"), "it is no video");
  EXPECT_EQ(out["download"], before["download"]);
  asset.current_whole = false;
  EXPECT_TRUE(to_public(asset, std::nullopt)["download"].is_null()) << "it was never done itself";
}

TEST(Asset, WhatAnEarlierReleaseStoredIsItsOwnSource) {
  Asset asset = video();
  asset.state = AssetState::ready;
  auto stored = boost::json::parse(to_stored(asset)).as_object();
  for (const char* later : {"warnings", "current_sha256", "current_bytes", "current_whole"})
    EXPECT_EQ(stored.erase(later), 1u);
  auto again = asset_from_stored(boost::json::serialize(stored));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->current_sha256, asset.sha256);
  EXPECT_EQ(again->current_bytes, asset.bytes);
  EXPECT_TRUE(again->current_whole);
}

TEST(Asset, AClipSaysWhetherItIsExact) {
  Asset asset;
  asset.kind = AssetKind::clip;
  asset.clip = ClipFacts{"final", "v1", 1'000'000, 2'000'000, 500'000, {}};
  auto said = [&](const char* member) {
    auto again = asset_from_stored(to_stored(asset));
    EXPECT_TRUE(again);
    auto clip = to_public(*again, std::nullopt).at("clip").as_object();
    return clip.contains(member) ? boost::json::serialize(clip.at(member)) : "";
  };
  EXPECT_EQ(said("exact"), "false");
  asset.clip->exactness = Exactness::pending;
  EXPECT_EQ(said("exact"), "\"pending\"");
  asset.clip->exactness = Exactness::exact;
  EXPECT_EQ(said("exact"), "true");
  EXPECT_EQ(said("exact_error"), "");
  asset.clip->exactness = Exactness::rough;
  asset.clip->exact_error = "it is damaged";
  EXPECT_EQ(said("exact"), "false");
  EXPECT_EQ(said("exact_error"), "\"it is damaged\"");
}

TEST(Asset, AnExactClipTellsTheTimesOfItsPictures) {
  Asset asset;
  asset.kind = AssetKind::clip;
  asset.clip = ClipFacts{"final", "v1", 1'010'000, 2'500'000, 500'000, {}, Exactness::pending};
  asset.clip->shown_start_us = 1'000'000;
  asset.clip->shown_end_us = 2'520'000;
  auto said = [&](const char* member) {
    auto again = asset_from_stored(to_stored(asset));
    EXPECT_TRUE(again);
    return to_public(*again, std::nullopt).at("clip").at(member);
  };
  EXPECT_EQ(said("start"), 1.01);
  EXPECT_EQ(said("end"), 2.5);
  asset.clip->exactness = Exactness::exact;
  EXPECT_EQ(said("start"), 1.0);
  EXPECT_EQ(said("end"), 2.52);
  asset.clip->start_date_us = 1'764'000'000'010'000;
  EXPECT_EQ(said("start"), "2025-11-24T16:00:00.000Z");
  EXPECT_EQ(said("end"), "2025-11-24T16:00:01.520Z");
  asset.clip->shown_start_us = asset.clip->shown_end_us = 0;
  EXPECT_EQ(said("start"), "2025-11-24T16:00:00.010Z") << "its segments fitted: nothing was cut";
}

TEST(Asset, WhatAnEarlierReleaseStoredOfAClipIsRough) {
  Asset asset;
  asset.clip = ClipFacts{"final", "v1", 1'000'000, 2'000'000, 500'000, {}};
  auto stored = boost::json::parse(to_stored(asset)).as_object();
  for (const char* later : {"exactness", "exact_error", "rough_version", "rough_lead_in_us", "root",
                            "shown_start_us", "shown_end_us"})
    EXPECT_EQ(stored["clip"].as_object().erase(later), 1u);
  auto again = asset_from_stored(boost::json::serialize(stored));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->clip->lead_in_us, 500'000);
  EXPECT_EQ(again->clip->exactness, Exactness::rough);
  EXPECT_EQ(again->clip->root, "final");
}

TEST(Asset, NothingPlayableHasNoPlayback) {
  Asset asset = video();
  asset.current_version.clear();
  EXPECT_TRUE(to_public(asset, std::nullopt)["playback"].is_null());
}

TEST(Asset, PhotoNamesItsWidths) {
  Asset asset = video();
  asset.kind = AssetKind::photo;
  asset.state = AssetState::ready;
  asset.photo_widths = {320, 1280};
  auto out = to_public(asset, std::nullopt);
  EXPECT_EQ(out["playback"], "/demo/final/w1280");
  EXPECT_EQ(out["progress"], 1.0);
  EXPECT_EQ(out["renditions"].at(0).at("jpeg"), "/demo/final/w320.jpg");
}

TEST(Asset, VersionNamesSortByAge) {
  std::string older = version_name(WallTime(milliseconds(1792810231000)), 0xffffffff);
  std::string newer = version_name(WallTime(milliseconds(1792810231001)), 0);
  EXPECT_EQ(older.size(), 13u);
  EXPECT_LT(older, newer);
  EXPECT_NE(newer, version_name(WallTime(milliseconds(1792810231001)), 1));
}

TEST(Asset, TimesAreRfc3339) {
  EXPECT_EQ(rfc3339(WallTime(milliseconds(1792810231007))), "2026-10-24T02:50:31.007Z");
  EXPECT_EQ(rfc3339(WallTime(milliseconds(0))), "1970-01-01T00:00:00.000Z");
}

}  // namespace
}  // namespace relay::origin
