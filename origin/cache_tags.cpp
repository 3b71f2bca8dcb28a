#include "origin/cache_tags.hpp"

#include "common/http/url.hpp"

namespace relay::origin {

std::string cache_tag(std::string_view tenant, std::string_view tag) {
  return std::string(tenant).append(":").append(http::percent_encode(tag));
}

std::string cache_tags(const Asset& asset) {
  constexpr std::string_view gap = ", ";
  std::string field = asset.tenant;
  field.append(gap).append(asset.tenant).append("/").append(asset.name);
  if (asset.clip) field.append(gap).append(asset.tenant).append("/").append(asset.clip->from);
  for (const std::string& each : asset.tags) {
    std::string tag = cache_tag(asset.tenant, each);
    if (field.size() + gap.size() + tag.size() > cache_tag_bytes_max) continue;
    field.append(gap).append(tag);
  }
  return field;
}

}  // namespace relay::origin
