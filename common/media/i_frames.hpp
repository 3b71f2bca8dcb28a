// The I-frame playlist of a rendition (RFC 8216bis-22 4.4.3.6, Apple 6.x): each key picture as a
// byte range of the segments that its media playlist names. Pure.
#pragma once

#include <cstddef>
#include <vector>

#include "common/media/key_picture.hpp"
#include "common/media/playlist.hpp"

namespace relay::media {

/// `keys`: of each segment of `of`, in its order. A picture lasts to the next one. A segment whose
/// pictures are not known is a gap, and so is one that is a gap itself.
///
/// `a_segment`: how many every segment of a sliding window has, so that sequence numbers follow
/// from those of the media playlist; gaps count as many. 0: the most that one has.
MediaPlaylist i_frames_of(const MediaPlaylist& of, const std::vector<std::vector<KeyPicture>>& keys,
                          std::size_t a_segment = 0);

}  // namespace relay::media
