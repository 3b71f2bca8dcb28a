// Playlists that nobody stored: they are made when they are asked for.
#include "origin/delivery.hpp"
#include "origin/media_headers.hpp"
#include "origin/trick_play.hpp"

namespace relay::origin {

Result<Delivery::Playlist> Delivery::of_channel(const media::MediaPath& path,
                                                LiveDelivery::Whole whole) const {
  auto tags = tags_of(path);
  if (!tags) return std::unexpected(tags.error());
  return Playlist{
      {media::write(whole.playlist), whole.modified}, lifetime_growing, std::move(*tags)};
}

Result<Delivery::Playlist> Delivery::find_i_frames(const media::MediaPath& path) const {
  if (auto live = live_.whole(path)) {
    auto frames = i_frames(catalog_, path, live->playlist, live->groups);
    if (!frames) return std::unexpected(frames.error());
    live->playlist = std::move(*frames);
    return of_channel(path, std::move(*live));
  }
  auto found = find_media_playlist(path);
  if (!found) return found;
  auto playlist = media::read_media_playlist(found->record.text);
  if (!playlist) return std::unexpected(playlist.error());
  auto frames = i_frames(catalog_, path, *playlist);
  if (!frames) return std::unexpected(frames.error());
  found->record.text = media::write(*frames);
  return found;
}

Result<Delivery::Playlist> Delivery::find_playlist(const media::MediaPath& path) const {
  if (path.kind == media::MediaKind::multivariant) return find_multivariant(path);
  if (path.kind == media::MediaKind::i_frames) return find_i_frames(path);
  return find_media_playlist(path);
}

}  // namespace relay::origin
