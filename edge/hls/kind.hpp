// What a response is to a player, judged by its address and type. Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace relay::edge::hls {

enum class Kind : std::uint8_t {
  other,
  playlist,  // HLS playlists, and manifests of DASH
  lasting,   // init segments and keys: every viewer of a rendition asks for them
  segment,
};

/// `target` is a target, or a key that ends with one (a query may follow); `content_type` as sent.
/// A playlist knows better which objects are init segments and keys; this is for those that came
/// before it.
Kind kind_of(std::string_view target, std::string_view content_type);

/// What one more miss costs beside one of any other object, for the eviction order: what each
/// viewer needs before the first picture is kept longer than segments that are used as often.
double value_of(Kind kind);

}  // namespace relay::edge::hls
