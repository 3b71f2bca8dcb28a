// A version of a clip between its playlists and the catalog. Blocks: for the blocking pool.
#pragma once

#include <string>

#include "common/base/error.hpp"
#include "common/media/playlist.hpp"
#include "origin/catalog.hpp"
#include "origin/clip/playlists.hpp"

namespace relay::origin {

/// Of the objects of a tenant; what the catalog does not have measures nothing.
clip::MeasuredOf measured_in(const Catalog& catalog, std::string tenant);

/// All of a version, thumbnails too.
Result<clip::MediaPlaylists> media_playlists_of(const Catalog& catalog, const std::string& tenant,
                                                const std::string& asset,
                                                const std::string& version);

/// A name that no earlier version had.
std::string new_version();

struct ClipName {
  std::string tenant, asset, version;
};

/// What the catalog is to keep of a version with these playlists; `of` is a multivariant playlist
/// of its source. Labels are not set. A job is to make it exact if the facts say so, once the
/// playlists have ended.
NewClip clip_version(const Catalog& catalog, ClipName name, ClipFacts facts,
                     const media::MultivariantPlaylist& of, const clip::MediaPlaylists& playlists);

}  // namespace relay::origin
