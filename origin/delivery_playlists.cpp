// Playlists that nobody stored: they are made when they are asked for.
#include "common/media/live_playlist_delta.hpp"
#include "origin/delivery.hpp"
#include "origin/media_headers.hpp"
#include "origin/trick_play.hpp"

namespace relay::origin {

Result<Delivery::Playlist> Delivery::of_channel(const media::MediaPath& path,
                                                LiveDelivery::Whole whole,
                                                std::int64_t a_segment) const {
  if (path.kind == media::MediaKind::i_frames) {
    auto frames = i_frames(catalog_, path, whole.playlist, static_cast<std::size_t>(a_segment));
    if (!frames) return std::unexpected(frames.error());
    whole.playlist = std::move(*frames);
  }
  auto tags = tags_of(path);
  if (!tags) return std::unexpected(tags.error());
  std::string text = media::write(whole.playlist);
  if (whole.delta)
    if (auto outline = media::read_live_playlist(text))
      text = media::cut_delta(text, *outline).value_or(text);
  return Playlist{{std::move(text), whole.modified}, std::move(whole.lifetime), std::move(*tags)};
}

Result<Delivery::Playlist> Delivery::find_i_frames(const media::MediaPath& path) const {
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
