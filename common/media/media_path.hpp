// Names and paths of media (DESIGN 3.3): the only place that knows how they are spelled. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/base/error.hpp"

namespace relay::media {

/// A tenant, asset, version or rendition name: 1 to 64 of A–Z a–z 0–9 . _ -, not beginning with a
/// dot. A tenant may not be one of the reserved words (api, watch, static, metrics, healthz …).
/// `what` stands in the message: "asset name 'a b' has ' ' in it; allowed are …".
Result<void> check_name(std::string_view what, std::string_view name);
Result<void> check_tenant(std::string_view name);

enum class MediaKind {
  multivariant,    // /{tenant}/{asset}/index.m3u8
  media_playlist,  // /{tenant}/{asset}/{version}/{rendition}/index.m3u8
  i_frames,        // …/iframes.m3u8: its key pictures
  init,            // …/init.mp4
  segment,         // …/{n}.m4s
  part,            // …/{n}.{p}.m4s
  thumbnails,      // …/{n}.jpg: a sheet of small pictures
  photo,           // /{tenant}/{photo}/w{width}.{jpg|webp|avif}
  photo_any,       // /{tenant}/{photo}/w{width}: format by Accept
  download,        // /{tenant}/{asset}/{version}/download.mp4: all of it as one file
  watch,           // /watch/{tenant}/{asset}
};

struct MediaPath {
  MediaKind kind = MediaKind::multivariant;
  std::string_view tenant, asset, version, rendition;
  std::int64_t number = 0;     // of a segment, also a part's
  std::int64_t part = 0;       // of a part
  int width = 0;               // of a photo
  std::string_view extension;  // of a photo: "jpg", "webp", "avif"
};

/// Views into `path` (already normalised, no query). nullopt: not a media URL.
std::optional<MediaPath> parse_media_path(std::string_view path);

std::string multivariant_path(std::string_view tenant, std::string_view asset);
std::string asset_prefix(std::string_view tenant, std::string_view asset);  // ends with "/"
std::string version_prefix(std::string_view tenant, std::string_view asset,
                           std::string_view version);  // ends with "/"
std::string download_path(std::string_view tenant, std::string_view asset,
                          std::string_view version);
std::string photo_path(std::string_view tenant, std::string_view photo, int width,
                       std::string_view extension);

/// "application/vnd.apple.mpegurl", "video/mp4", "video/iso.segment", "image/webp", …
std::string_view content_type_of(std::string_view file_name);

/// Of a playlist's or object's URI, as playlists name them: "v720/index.m3u8" and
/// "1abc/v720/index.m3u8" are of rendition "v720". A view into `uri`.
std::string_view rendition_of(std::string_view uri);

}  // namespace relay::media
