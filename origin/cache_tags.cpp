#include "origin/cache_tags.hpp"

#include "common/http/url.hpp"

namespace relay::origin {
namespace {

constexpr std::string_view tag_gap = ", ";

void add_asset_tag(std::string_view tenant, std::string_view name, std::string& field) {
  field.append(tag_gap).append(tenant).append("/").append(name);
}

}  // namespace

std::string cache_tag(std::string_view tenant, std::string_view tag) {
  return std::string(tenant).append(":").append(http::percent_encode(tag));
}

std::string cache_tags(const Asset& asset) {
  std::string field = asset.tenant;
  add_asset_tag(asset.tenant, asset.name, field);
  if (asset.clip) {
    const std::string &from = asset.clip->from, &root = asset.clip->root;
    if (from != asset.name) add_asset_tag(asset.tenant, from, field);
    if (!root.empty() && root != from) add_asset_tag(asset.tenant, root, field);
  }
  for (const std::string& each : asset.tags) {
    std::string tag = cache_tag(asset.tenant, each);
    if (field.size() + tag_gap.size() + tag.size() > cache_tag_bytes_max) continue;
    field.append(tag_gap).append(tag);
  }
  return field;
}

}  // namespace relay::origin
