// Who a publisher says he is, and what for: read before anything is known of him. Pure.
#pragma once

#include <string>
#include <string_view>

#include "common/base/error.hpp"
#include "common/media/feed.hpp"

namespace relay::origin::live {

/// What a publisher calls itself by. As RTMP spells it: application TENANT, stream name
/// "ASSET?key=KEY&slot=backup"; SRT: "#!::u=TENANT,r=ASSET,s=KEY,slot=backup" or
/// "TENANT/ASSET?key=KEY&slot=backup". Without a slot: primary.
struct StreamKey {
  std::string tenant, asset, key;
  media::FeedSlot slot = media::FeedSlot::primary;
};

/// Of "TENANT/ASSET?key=KEY&slot=SLOT"; the key may be missing. Errors (invalid): what is wrong
/// with it.
Result<StreamKey> read_stream_name(std::string_view text);
/// Of an SRT stream id in either form.
Result<StreamKey> read_stream_id(std::string_view text);

}  // namespace relay::origin::live
