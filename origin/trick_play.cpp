#include "origin/trick_play.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "common/media/i_frames.hpp"
#include "origin/clip/playlists.hpp"

namespace relay::origin {

using Keys = std::vector<media::KeyPicture>;

Result<media::MediaPlaylist> i_frames(const Catalog& catalog, const media::MediaPath& path,
                                      const media::MediaPlaylist& playlist, std::size_t a_segment) {
  std::vector<clip::Place> places;
  for (const media::MediaSegment& segment : playlist.segments)
    places.push_back(clip::place_of(path.asset, path.version, path.rendition, segment.uri));
  auto objects = catalog.objects(path.tenant, places);
  if (!objects) return std::unexpected(objects.error());
  std::vector<Keys> keys;
  for (auto& object : *objects) keys.push_back(object ? std::move(object->keys) : Keys());
  if (a_segment == 0 && std::ranges::all_of(keys, &Keys::empty))
    return fail(ErrorKind::not_found, ErrorSource::client, "there is no I-frame playlist of this");
  return media::i_frames_of(playlist, keys, a_segment);
}

}  // namespace relay::origin
