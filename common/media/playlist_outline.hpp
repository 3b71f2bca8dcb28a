// What a media playlist names, in order: all that a cache wants of it. Takes the playlists of every
// packager, where read_media_playlist() takes only those that we write ourselves. Pure.
//
// RFC 8216bis: 4.4.3 (sequence, type, end), 4.4.4 (segments, EXT-X-MAP, EXT-X-KEY, EXT-X-GAP).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.hpp"

namespace relay::media {

struct PlaylistOutline {
  std::int64_t media_sequence = 0;  // of the first segment
  bool ended = false;
  bool only_grows = false;            // EVENT or VOD: nothing leaves it
  std::vector<std::string> segments;  // references as written; empty: a gap, not to be asked for
  std::vector<std::string> lasting;   // of EXT-X-MAP and EXT-X-KEY, each once
};

/// Errors: invalid, for what is no media playlist (a multivariant one too), an I-frame playlist, a
/// delta update (EXT-X-SKIP) or one with variables (EXT-X-DEFINE): they name less, or something
/// else, than they seem to; too_large, above limits::playlist_bytes_max.
Result<PlaylistOutline> read_playlist_outline(std::string_view text);

}  // namespace relay::media
