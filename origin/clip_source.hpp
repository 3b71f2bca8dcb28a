// What a clip can be made of: a video as far as it is published, a channel's window, a recording,
// another clip.
// From the catalog, and of an open channel from its renditions as viewers see them.
#pragma once

#include <memory>
#include <string>

#include "common/media/playlist.hpp"
#include "origin/catalog.hpp"
#include "origin/clip/clip.hpp"
#include "origin/live/channels.hpp"

namespace relay::origin {

struct ClipSource {
  clip::Source source;
  media::MultivariantPlaylist multivariant;
  Asset asset;
  std::shared_ptr<live::Rendition> lead;  // of an open channel: what to wait on for more,
  std::uint64_t lead_seen = 0;            // with this version seen
};

/// Any thread; does not wait. Errors: not_found (no such asset), invalid (a photo),
/// conflict (nothing of it can be played yet).
Result<ClipSource> read_clip_source(const Catalog& catalog, const live::Channels& channels,
                                    const std::string& tenant, const std::string& asset);

}  // namespace relay::origin
