#include "edge/hls/kind.hpp"

#include <algorithm>

#include "common/http/message.hpp"
#include "common/http/syntax.hpp"

namespace relay::edge::hls {
namespace {

constexpr double lasting_value = 16;

constexpr std::string_view playlist_types[] = {"application/vnd.apple.mpegurl",
                                               "application/x-mpegurl", "audio/mpegurl",
                                               "audio/x-mpegurl", "application/dash+xml"};
constexpr std::string_view playlist_endings[] = {".m3u8", ".mpd"};
constexpr std::string_view segment_endings[] = {".m4s", ".ts",   ".m4v",  ".m4a", ".mp4",   ".aac",
                                                ".ac3", ".cmfv", ".cmfa", ".vtt", ".webvtt"};

template <class List>
bool ends_with_one(std::string_view name, const List& endings) {
  return std::ranges::any_of(endings, [&](std::string_view end) { return name.ends_with(end); });
}

bool is_playlist_type(std::string_view type) {
  return std::ranges::any_of(playlist_types,
                             [&](std::string_view each) { return http::same_name(type, each); });
}

bool is_media_type(std::string_view type) {
  std::string_view family = type.substr(0, type.find('/'));
  return http::same_name(family, "video") || http::same_name(family, "audio") ||
         http::same_name(type, "text/vtt");
}

}  // namespace

Kind kind_of(std::string_view target, std::string_view content_type) {
  std::string_view path = target.substr(0, target.find('?'));
  std::string_view name = path.substr(path.rfind('/') + 1);
  std::string_view type = http::trim(content_type.substr(0, content_type.find(';')));
  if (is_playlist_type(type) || ends_with_one(name, playlist_endings)) return Kind::playlist;
  if (name.ends_with(".key")) return Kind::lasting;
  bool is_media = is_media_type(type) || ends_with_one(name, segment_endings);
  if (!is_media) return Kind::other;
  return name.starts_with("init") ? Kind::lasting : Kind::segment;
}

double value_of(Kind kind) {
  return kind == Kind::playlist || kind == Kind::lasting ? lasting_value : 1.0;
}

}  // namespace relay::edge::hls
