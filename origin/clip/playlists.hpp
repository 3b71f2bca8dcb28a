// The playlists of a clip, over the segments of its source. Pure.
//
// A clip of a clip names what that one names, so that it depends on no playlist but its own.
// Their URIs point at the source's own addresses ("../../../final/0abc/v720/12.m4s"): an edge that
// has a segment because somebody watched the source has it for the clip too, and one copy of the
// bytes has one address everywhere, which is purged at one place.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/media/key_picture.hpp"
#include "common/media/playlist.hpp"
#include "origin/clip/clip.hpp"
#include "origin/clip/hold.hpp"

namespace relay::origin::clip {

/// Of the rendition of one cut.
media::MediaPlaylist media_playlist(const Source& source, const Choice& choice, const Cut& cut);

/// Where an object lies that a media playlist of {asset}/{version}/{rendition}/ names: with it, or
/// where a clip's source is.
struct Place {
  std::string asset, version, object;  // "final", "0abc", "v720/12.m4s"
};
Place place_of(std::string_view asset, std::string_view version, std::string_view rendition,
               std::string_view uri);
/// As the playlists of any clip name it.
std::string uri_of(const Place& place);

/// What the catalog knows of an object.
struct Measured {
  std::uint64_t bytes = 0;
  std::vector<media::KeyPicture> keys;
};
using MeasuredOf = std::function<Measured(const Place& object)>;
using MediaPlaylists = std::map<std::string, media::MediaPlaylist, std::less<>>;  // by rendition

/// A multivariant playlist of the source, or of an earlier version, as that of `asset` of
/// `version`: only its renditions, with bit rates measured over its segments, where there are any.
media::MultivariantPlaylist multivariant_playlist(const media::MultivariantPlaylist& of,
                                                  const MediaPlaylists& playlists,
                                                  std::string_view asset, std::string_view version,
                                                  const MeasuredOf& measured);

/// What `asset` of `version` has to hold to have these playlists: all that they name of others.
std::vector<Holds> holds_of(const MediaPlaylists& playlists, std::string_view asset,
                            std::string_view version);
/// The same as objects that must be there; gaps are not.
std::vector<Place> named_by(const MediaPlaylists& playlists, std::string_view asset,
                            std::string_view version);

}  // namespace relay::origin::clip
