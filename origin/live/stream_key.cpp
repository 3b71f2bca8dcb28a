#include "origin/live/stream_key.hpp"

#include <algorithm>

#include "common/http/url.hpp"

namespace relay::origin::live {
namespace {

Result<void> take_slot(std::string_view text, StreamKey& into) {
  for (media::FeedSlot slot : {media::FeedSlot::primary, media::FeedSlot::backup}) {
    if (text != media::name(slot)) continue;
    into.slot = slot;
    return {};
  }
  return bad_input("the slot must be primary or backup");
}

Result<StreamKey> complete(StreamKey key) {
  if (key.tenant.empty() || key.asset.empty()) return bad_input("the channel is not named");
  return key;
}

/// "u=TENANT,r=ASSET,s=KEY,slot=SLOT" (the access control syntax of SRT).
Result<StreamKey> read_access_control(std::string_view text) {
  StreamKey key;
  while (!text.empty()) {
    std::string_view item = text.substr(0, text.find(','));
    text.remove_prefix(std::min(item.size() + 1, text.size()));
    std::size_t sign = std::min(item.find('='), item.size());
    std::string_view name = item.substr(0, sign);
    std::string_view value = item.substr(std::min(sign + 1, item.size()));
    if (name == "u") key.tenant = value;
    if (name == "r") key.asset = value;
    if (name == "s") key.key = value;
    auto slot = name == "slot" ? take_slot(value, key) : Result<void>();
    if (!slot) return std::unexpected(slot.error());
  }
  return complete(std::move(key));
}

}  // namespace

Result<StreamKey> read_stream_name(std::string_view text) {
  if (text.starts_with('/')) text.remove_prefix(1);
  std::size_t mark = std::min(text.find('?'), text.size());
  std::string_view path = text.substr(0, mark);
  std::size_t slash = std::min(path.find('/'), path.size());
  StreamKey key{.tenant = std::string(path.substr(0, slash)),
                .asset = std::string(path.substr(std::min(slash + 1, path.size())))};
  for (const http::Parameter& each :
       http::read_parameters(text.substr(std::min(mark + 1, text.size())))) {
    if (each.name == "key") key.key = each.value;
    auto slot = each.name == "slot" ? take_slot(each.value, key) : Result<void>();
    if (!slot) return std::unexpected(slot.error());
  }
  return complete(std::move(key));
}

// FFmpeg and OBS send the stream id as it stands in the address, escaped or not.
Result<StreamKey> read_stream_id(std::string_view text) {
  constexpr std::string_view escaped_access_control = "%23";
  std::string decoded;
  if (text.starts_with(escaped_access_control)) {
    decoded = http::percent_decode(text).value_or("");
    text = decoded;
  }
  constexpr std::string_view access_control = "#!::";
  if (text.starts_with(access_control))
    return read_access_control(text.substr(access_control.size()));
  return read_stream_name(text);
}

}  // namespace relay::origin::live
