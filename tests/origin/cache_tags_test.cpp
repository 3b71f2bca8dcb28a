#include "origin/cache_tags.hpp"

#include <gtest/gtest.h>

#include "origin/json_body.hpp"

namespace relay::origin {
namespace {

Asset tagged(std::vector<std::string> tags) {
  Asset asset;
  asset.tenant = "demo";
  asset.name = "final";
  asset.tags = std::move(tags);
  return asset;
}

TEST(CacheTags, NameTenantAssetAndTags) {
  EXPECT_EQ(cache_tags(tagged({})), "demo, demo/final");
  EXPECT_EQ(cache_tags(tagged({"100m", "day 1"})), "demo, demo/final, demo:100m, demo:day%201");
}

TEST(CacheTags, AClipGoesWithItsSource) {
  Asset asset = tagged({"day 1"});
  asset.clip = ClipFacts{"match", "v1", 0, 1, 0, {}};
  EXPECT_EQ(cache_tags(asset), "demo, demo/final, demo/match, demo:day%201");
  asset.clip->root = "match";
  EXPECT_EQ(cache_tags(asset), "demo, demo/final, demo/match, demo:day%201");
  asset.clip->from = "half";
  EXPECT_EQ(cache_tags(asset), "demo, demo/final, demo/half, demo/match, demo:day%201");
  asset.clip->from = "final";
  EXPECT_EQ(cache_tags(asset), "demo, demo/final, demo/match, demo:day%201") << "of itself";
}

TEST(CacheTags, NoTagCanBeTwoOrAnotherTenants) {
  EXPECT_EQ(cache_tags(tagged({"a, other:b", "Ö"})),
            "demo, demo/final, demo:a%2C%20other%3Ab, demo:%C3%96");
}

TEST(CacheTags, WhatTheApiTakesFitsWhateverTheNames) {
  std::vector<std::string> tags(50, std::string(40, 'a'));
  ASSERT_TRUE(check_tags(tags));
  tags.emplace_back("a");
  tags.erase(tags.begin());
  Asset asset = tagged(tags);
  asset.tenant = asset.name = std::string(64, 'n');
  EXPECT_TRUE(cache_tags(asset).ends_with(":a"));
  EXPECT_LE(cache_tags(asset).size(), cache_tag_bytes_max);
  EXPECT_FALSE(check_tags(std::vector<std::string>(50, std::string(41, 'a'))));
  EXPECT_FALSE(check_tags(std::vector<std::string>(20, "öööööööööööööööööööö")));
}

TEST(CacheTags, TooManyOldOnesAreLeftOut) {
  Asset asset = tagged(std::vector<std::string>(50, std::string(90, '%')));
  EXPECT_LE(cache_tags(asset).size(), cache_tag_bytes_max);
  EXPECT_TRUE(cache_tags(asset).starts_with("demo, demo/final, demo:%25"));
}

}  // namespace
}  // namespace relay::origin
