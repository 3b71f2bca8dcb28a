#include "origin/published_playlist.hpp"

#include <algorithm>
#include <utility>

namespace relay::origin {
namespace {

std::unexpected<Error> conflict(std::string message) {
  return fail(ErrorKind::conflict, ErrorSource::client, std::move(message));
}

Result<void> require(const IsStored& stored, std::string_view name) {
  auto there = stored(name);
  if (!there) return std::unexpected(there.error());
  if (*there) return {};
  return conflict("the playlist names '" + std::string(name) + "', which is not stored");
}

/// "v720/index.m3u8" or "{version}/v720/index.m3u8" becomes the latter.
Result<std::string> published_uri(std::string_view uri, std::string_view version,
                                  const IsStored& stored, std::string_view file = "/index.m3u8") {
  std::string prefix = std::string(version) + "/";
  std::string_view rendition = uri.starts_with(prefix) ? uri.substr(prefix.size()) : uri;
  if (!rendition.ends_with(file)) {
    return bad_input("the playlist names '" + std::string(uri) + "'; allowed is RENDITION" +
                     std::string(file));
  }
  rendition.remove_suffix(file.size());
  if (auto there = require(stored, rendition); !there) return std::unexpected(there.error());
  return prefix + std::string(rendition) + std::string(file);
}

}  // namespace

Result<media::MediaPlaylist> check_media_playlist(std::string_view text, std::string_view previous,
                                                  const IsStored& stored) {
  auto next = media::read_media_playlist(text);
  if (!next) return next;
  bool is_plain = std::ranges::none_of(next->segments, [](const media::MediaSegment& each) {
    return each.gap || each.discontinuity || !each.map_uri.empty();
  });
  if (!is_plain) return bad_input("the playlist has gaps or discontinuities");
  std::size_t known = 0;
  if (!previous.empty()) {
    auto before = media::read_media_playlist(previous);
    if (!before) return before;
    if (auto why = media::why_not_extension(*before, *next)) return conflict(std::move(*why));
    known = before->segments.size();
  } else if (!next->map_uri.empty()) {
    if (auto there = require(stored, next->map_uri); !there) {
      return std::unexpected(there.error());
    }
  }
  for (std::size_t i = known; i < next->segments.size(); ++i) {
    if (auto there = require(stored, next->segments[i].uri); !there) {
      return std::unexpected(there.error());
    }
  }
  return next;
}

Result<media::MultivariantPlaylist> publish_multivariant(std::string_view text,
                                                         std::string_view version,
                                                         const IsStored& stored) {
  auto playlist = media::read_multivariant_playlist(text);
  if (!playlist) return playlist;
  if (playlist->variants.empty()) return bad_input("the multivariant playlist names no variant");
  for (media::Variant& variant : playlist->variants) {
    auto uri = published_uri(variant.uri, version, stored);
    if (!uri) return std::unexpected(uri.error());
    variant.uri = std::move(*uri);
  }
  if (playlist->sound_only) {
    auto uri = published_uri(playlist->sound_only->uri, version, stored);
    if (!uri) return std::unexpected(uri.error());
    playlist->sound_only->uri = std::move(*uri);
  }
  for (media::AudioRendition& audio : playlist->audios) {
    if (audio.uri.empty()) continue;
    auto uri = published_uri(audio.uri, version, stored);
    if (!uri) return std::unexpected(uri.error());
    audio.uri = std::move(*uri);
  }
  for (media::TrickVariant& variant : playlist->images) {
    auto uri = published_uri(variant.uri, version, stored);
    if (!uri) return std::unexpected(uri.error());
    variant.uri = std::move(*uri);
  }
  for (media::TrickVariant& variant : playlist->i_frames) {
    auto uri = published_uri(variant.uri, version, stored, "/iframes.m3u8");
    if (!uri) return std::unexpected(uri.error());
    variant.uri = std::move(*uri);
  }
  return playlist;
}

}  // namespace relay::origin
