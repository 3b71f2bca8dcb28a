// What a transcoder's playlists must hold before anyone sees them (DESIGN invariant 2), and how
// they look to viewers. Pure: `stored` answers from the catalog.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.hpp"
#include "common/media/playlist.hpp"

namespace relay::origin {

/// Whether a thing that a playlist names is there: an object of the rendition, or a rendition.
using IsStored = std::function<Result<bool>(std::string_view name)>;

/// A media playlist may follow `previous` (its text; empty: it is the first) when it extends it and
/// every object that is new in it is stored. Errors: invalid, conflict, and those of `stored`.
Result<media::MediaPlaylist> check_media_playlist(std::string_view text, std::string_view previous,
                                                  const IsStored& stored);

/// The multivariant playlist as a transcoder wrote it, its addresses relative to the version's
/// folder, becomes the viewers' one, relative to the asset's. Every rendition that it names must
/// have a playlist.
Result<media::MultivariantPlaylist> publish_multivariant(std::string_view text,
                                                         std::string_view version,
                                                         const IsStored& stored);

}  // namespace relay::origin
