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

constexpr std::string_view index_file = "/index.m3u8";

/// "v720/index.m3u8" or "{version}/v720/index.m3u8" becomes the latter.
Result<void> publish_uri(std::string& uri, std::string_view version, const IsStored& stored,
                         std::string_view file = index_file) {
  std::string prefix = std::string(version) + "/";
  std::string_view rendition = uri;
  if (rendition.starts_with(prefix)) rendition.remove_prefix(prefix.size());
  if (!rendition.ends_with(file)) {
    return bad_input("the playlist names '" + uri + "'; allowed is RENDITION" + std::string(file));
  }
  rendition.remove_suffix(file.size());
  if (auto there = require(stored, rendition); !there) return std::unexpected(there.error());
  uri = prefix + std::string(rendition) + std::string(file);
  return {};
}

/// Of all that have one: sound may be part of the pictures.
Result<void> publish_uris(auto& named, std::string_view version, const IsStored& stored,
                          std::string_view file = index_file) {
  for (auto& each : named) {
    if (each.uri.empty()) continue;
    if (auto published = publish_uri(each.uri, version, stored, file); !published) return published;
  }
  return {};
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
  auto published = publish_uris(playlist->variants, version, stored);
  if (published && playlist->sound_only)
    published = publish_uri(playlist->sound_only->uri, version, stored);
  if (published) published = publish_uris(playlist->audios, version, stored);
  if (published) published = publish_uris(playlist->images, version, stored);
  if (published) published = publish_uris(playlist->i_frames, version, stored, "/iframes.m3u8");
  if (!published) return std::unexpected(published.error());
  return playlist;
}

}  // namespace relay::origin
