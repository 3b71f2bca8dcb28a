// The thumbnails of a clip: an image playlist over the sheets of its source, one a segment. Pure.
#pragma once

#include <cstdint>
#include <optional>

#include "common/media/playlist.hpp"
#include "origin/clip/clip.hpp"

namespace relay::origin::clip {

/// In step with the media playlists of the choice; a sheet that is not there is a gap.
media::MediaPlaylist sheets_in_step(const Source& source, const Choice& choice);
/// The same; nullopt: none is there.
std::optional<media::MediaPlaylist> sheet_playlist(const Source& source, const Choice& choice);

/// Those of a rough version, `rough`, in step with `lead` of the exact one, which begins `late_us`
/// behind it.
media::MediaPlaylist exact_sheets(media::MediaPlaylist rough, const media::MediaPlaylist& lead,
                                  std::int64_t late_us);

}  // namespace relay::origin::clip
