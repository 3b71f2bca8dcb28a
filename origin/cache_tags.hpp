// The Cache-Tag of what an asset's addresses answer, so that operators can purge edges by tenant,
// by asset and by the broadcaster's own tags, which are nobody else's. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "origin/asset.hpp"

namespace relay::origin {

/// Of the whole field: it goes out with every segment.
inline constexpr std::size_t cache_tag_bytes_max = 6 * 1024;

/// "demo:100m%20final" for tag "100m final" of tenant demo. Names of tenants have no ":".
std::string cache_tag(std::string_view tenant, std::string_view tag);

/// "demo, demo/final, demo:100m%20final": the tenant, the asset, a clip's source and what that goes
/// back to (whoever purges them means the clip too), its tags. Tags that would make it longer than
/// cache_tag_bytes_max are left out; check_tags() lets none such in now.
std::string cache_tags(const Asset& asset);

}  // namespace relay::origin
