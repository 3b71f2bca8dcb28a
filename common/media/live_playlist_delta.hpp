// Delta updates of live playlists (RFC 8216bis-22 4.4.5.2, 6.2.5.1): cut out of a whole text, and
// put together again with the version that a client holds. What comes of the two is byte for byte
// what the server would have sent whole, or nothing: then the whole is to be asked for. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/media/live_playlist_reader.hpp"

namespace relay::media {

/// A delta update of `text`, which `outline` was read from; nullopt when there is nothing to skip
/// or the playlist does not offer it. Date ranges and other tags of the whole playlist stay.
std::optional<std::string> cut_delta(std::string_view text, const LivePlaylistOutline& outline);

/// Whether it leaves out what its client has.
bool is_delta(std::string_view text);

struct WholePlaylist {
  std::string text;
  LivePlaylistOutline outline;  // as if it were read from it
};
/// What `delta` is an update of. `had` was read from `held`, a whole text. nullopt: the two do not
/// fit: it skips what is not held, what both list is not the same (they are of two timelines), or
/// what is skipped would not stand in the whole as it is held (its parts are listed here, date
/// ranges stand in it, or what led to it is gone).
std::optional<WholePlaylist> merge_delta(std::string_view held, const LivePlaylistOutline& had,
                                         std::string_view delta);

}  // namespace relay::media
