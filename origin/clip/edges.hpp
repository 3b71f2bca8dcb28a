// A clip that is exact: from its rough version, which plays whole segments, to one whose first and
// last segments are its own, cut where it was asked for. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/error.hpp"
#include "common/media/edge_job.hpp"
#include "origin/clip/playlists.hpp"

namespace relay::origin::clip {

/// What to show of the rough version, from its begin.
struct EdgeWish {
  std::int64_t from_us = 0, to_us = 0;
};

/// A piece of a job and where the two objects are that it is made of, as the playlist names them.
struct PlannedPiece {
  media::EdgePiece piece;  // offset and bytes are not known yet
  std::string init_uri, segment_uri;
};
struct PlannedEdges {
  std::string rendition;
  bool picture = true;
  std::int64_t bit_s_max = 0;
  std::vector<PlannedPiece> pieces;
};

/// The rendition that says where to cut: that with the most pictures a second; "": there is none.
std::string lead_of(const media::MultivariantPlaylist& rough);

/// First the lead. Errors: invalid (a gap at an edge, with a sentence for the broadcaster),
/// internal (a rendition without a playlist).
Result<std::vector<PlannedEdges>> plan_edges(const media::MultivariantPlaylist& rough,
                                             const MediaPlaylists& playlists, const EdgeWish& wish);

/// The rough version's playlists with the pieces in place of what they were cut from. `pieces` are
/// those of the job: all renditions' or none, if the segments were cut right already. An init that
/// comes with them does for the source's segments too. Errors: internal.
Result<MediaPlaylists> exact_playlists(const MediaPlaylists& rough, const MediaPlaylists& pieces);

/// Of the playlist that the others go by.
std::int64_t duration_us(const media::MediaPlaylist& playlist);

}  // namespace relay::origin::clip
