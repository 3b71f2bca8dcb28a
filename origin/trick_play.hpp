// The I-frame playlist of a rendition, made from its media playlist and from what the catalog knows
// of its segments when somebody asks: nothing more is stored for it, and it is always as long as
// the media playlist is.
#pragma once

#include <cstddef>

#include "common/base/error.hpp"
#include "common/media/media_path.hpp"
#include "common/media/playlist.hpp"
#include "origin/catalog.hpp"

namespace relay::origin {

/// `path` is of the rendition, `playlist` its media playlist; `a_segment` as in
/// media::i_frames_of(). Errors: not_found when no key picture is known (it is sound, or of a time
/// before they were told) of what is no channel, and the catalog's.
Result<media::MediaPlaylist> i_frames(const Catalog& catalog, const media::MediaPath& path,
                                      const media::MediaPlaylist& playlist,
                                      std::size_t a_segment = 0);

}  // namespace relay::origin
