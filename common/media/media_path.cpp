#include "common/media/media_path.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <vector>

namespace relay::media {
namespace {

constexpr std::size_t name_bytes_max = 64;
constexpr int photo_width_max = 65535;
constexpr std::string_view download_file = "download.mp4";

/// First parts of paths that are not tenants.
constexpr std::string_view reserved[] = {
    "admin",   "api",    "assets", "console", "desk",       "favicon.ico", "health", "healthz",
    "metrics", "player", "purge",  "readyz",  "robots.txt", "static",      "watch",  "web"};

bool is_name_character(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= name_bytes_max && text.front() != '.' &&
         std::ranges::all_of(text, is_name_character);
}

bool is_tenant(std::string_view text) {
  return is_name(text) && std::ranges::find(reserved, text) == std::end(reserved);
}

std::string shown(char c) {
  auto byte = static_cast<unsigned char>(c);
  bool printable = byte >= 0x20 && byte < 0x7f;
  return printable ? fmt::format("'{}'", c) : fmt::format("byte 0x{:02x}", byte);
}

/// A name with everything that is no printable ASCII left out, and cut: safe in a message.
std::string shown(std::string_view name) {
  std::string text;
  for (char c : name.substr(0, name_bytes_max)) {
    bool printable = c >= 0x20 && c < 0x7f;
    text += printable ? c : '?';
  }
  return name.size() > name_bytes_max ? text + "…" : text;
}

/// Decimal digits without a sign or needless zeros, so that a number has one spelling.
template <class Number>
std::optional<Number> read_number(std::string_view text) {
  Number number = 0;
  bool one_spelling = text == "0" || !text.starts_with('0');
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  bool whole = error == std::errc() && end == text.data() + text.size();
  if (!whole || !one_spelling || text.starts_with('-')) return std::nullopt;
  return number;
}

bool strip_suffix(std::string_view& text, std::string_view suffix) {
  if (!text.ends_with(suffix)) return false;
  text.remove_suffix(suffix.size());
  return true;
}

/// "/a/b/c" as {a, b, c}; empty when there are more parts than any media URL has.
std::vector<std::string_view> split(std::string_view path) {
  constexpr std::size_t parts_max = 5;
  std::vector<std::string_view> parts;
  while (!path.empty() && parts.size() < parts_max) {
    path.remove_prefix(1);
    std::size_t slash = std::min(path.find('/'), path.size());
    parts.push_back(path.substr(0, slash));
    path.remove_prefix(slash);
  }
  if (!path.empty()) parts.clear();
  return parts;
}

/// "w640.jpg" or "w640".
bool read_photo(std::string_view file, MediaPath& into) {
  if (!file.starts_with('w')) return false;
  file.remove_prefix(1);
  std::size_t dot = std::min(file.find('.'), file.size());
  auto width = read_number<int>(file.substr(0, dot));
  if (!width || *width < 1 || *width > photo_width_max) return false;
  into.width = *width;
  into.kind = MediaKind::photo_any;
  if (dot == file.size()) return true;
  into.kind = MediaKind::photo;
  into.extension = file.substr(dot + 1);
  return into.extension == "jpg" || into.extension == "webp" || into.extension == "avif";
}

/// "12" or "12.3".
bool read_segment(std::string_view name, MediaPath& into) {
  std::size_t dot = name.find('.');
  if (dot != name.npos) {
    auto part = read_number<std::int64_t>(name.substr(dot + 1));
    if (!part) return false;
    into.kind = MediaKind::part;
    into.part = *part;
  }
  auto number = read_number<std::int64_t>(name.substr(0, dot));
  into.number = number.value_or(0);
  return number.has_value();
}

/// "index.m3u8", "iframes.m3u8", "init.mp4", "12.m4s", "12.3.m4s" or "12.jpg".
bool read_rendition_file(std::string_view file, MediaPath& into) {
  into.kind = MediaKind::media_playlist;
  if (file == "index.m3u8") return true;
  into.kind = MediaKind::i_frames;
  if (file == "iframes.m3u8") return true;
  into.kind = MediaKind::init;
  if (file == "init.mp4") return true;
  bool is_sheet = strip_suffix(file, ".jpg");
  into.kind = is_sheet ? MediaKind::thumbnails : MediaKind::segment;
  if (is_sheet) return file.find('.') == file.npos && read_segment(file, into);
  if (!strip_suffix(file, ".m4s")) return false;
  return read_segment(file, into);
}

}  // namespace

Result<void> check_name(std::string_view what, std::string_view name) {
  if (is_name(name)) return {};
  if (name.empty()) return bad_input(fmt::format("{} is empty", what));
  if (name.size() > name_bytes_max) {
    return bad_input(fmt::format("{} '{}' has {} characters; allowed are 1 to {}", what,
                                 shown(name), name.size(), name_bytes_max));
  }
  if (name.front() == '.') {
    return bad_input(fmt::format("{} '{}' begins with a dot", what, shown(name)));
  }
  char wrong = *std::ranges::find_if_not(name, is_name_character);
  return bad_input(fmt::format("{} '{}' has {} in it; allowed are A-Z a-z 0-9 . _ -", what,
                               shown(name), shown(wrong)));
}

Result<void> check_tenant(std::string_view name) {
  auto checked = check_name("tenant name", name);
  if (!checked || is_tenant(name)) return checked;
  return bad_input(fmt::format("tenant name '{}' is reserved for the program itself", name));
}

std::optional<MediaPath> parse_media_path(std::string_view path) {
  if (!path.starts_with('/')) return std::nullopt;
  auto parts = split(path);
  if (!std::ranges::all_of(parts, is_name)) return std::nullopt;
  MediaPath found;
  if (parts.size() == 3 && parts[0] == "watch") {
    found.kind = MediaKind::watch;
    found.tenant = parts[1];
    found.asset = parts[2];
    return is_tenant(found.tenant) ? std::optional(found) : std::nullopt;
  }
  if (parts.size() < 3 || !is_tenant(parts[0])) return std::nullopt;
  found.tenant = parts[0];
  found.asset = parts[1];
  if (parts.size() == 3) {
    if (parts[2] == "index.m3u8" || read_photo(parts[2], found)) return found;
    return std::nullopt;
  }
  found.version = parts[2];
  found.kind = MediaKind::download;
  if (parts.size() == 4 && parts[3] == download_file) return found;
  if (parts.size() != 5) return std::nullopt;
  found.rendition = parts[3];
  return read_rendition_file(parts[4], found) ? std::optional(found) : std::nullopt;
}

std::string asset_prefix(std::string_view tenant, std::string_view asset) {
  return fmt::format("/{}/{}/", tenant, asset);
}

std::string multivariant_path(std::string_view tenant, std::string_view asset) {
  return fmt::format("/{}/{}/index.m3u8", tenant, asset);
}

std::string version_prefix(std::string_view tenant, std::string_view asset,
                           std::string_view version) {
  return fmt::format("/{}/{}/{}/", tenant, asset, version);
}

std::string download_path(std::string_view tenant, std::string_view asset,
                          std::string_view version) {
  return version_prefix(tenant, asset, version) + std::string(download_file);
}

std::string photo_path(std::string_view tenant, std::string_view photo, int width,
                       std::string_view extension) {
  return fmt::format("/{}/{}/w{}.{}", tenant, photo, width, extension);
}

std::string_view content_type_of(std::string_view file_name) {
  struct Type {
    std::string_view suffix, type;
  };
  static constexpr Type types[] = {
      {".m3u8", "application/vnd.apple.mpegurl"},
      {".mp4", "video/mp4"},
      {".m4s", "video/iso.segment"},
      {".jpg", "image/jpeg"},
      {".jpeg", "image/jpeg"},
      {".webp", "image/webp"},
      {".avif", "image/avif"},
      {".png", "image/png"},
      {".vtt", "text/vtt; charset=utf-8"},
      {".html", "text/html; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},
      {".js", "text/javascript; charset=utf-8"},
      {".json", "application/json"},
      {".svg", "image/svg+xml"},
  };
  for (const Type& type : types) {
    if (file_name.ends_with(type.suffix)) return type.type;
  }
  return "application/octet-stream";
}

std::string_view rendition_of(std::string_view uri) {
  std::string_view folder = uri.substr(0, std::min(uri.rfind('/'), uri.size()));
  return folder.substr(folder.rfind('/') + 1);  // npos + 1 is 0
}

}  // namespace relay::media
