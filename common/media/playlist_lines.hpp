// How playlists are read: line by line, each tag given to a reader that complains or not. For the
// readers of this room only. Pure.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/error.hpp"
#include "common/base/limits.hpp"
#include "common/media/attribute_list.hpp"

namespace relay::media::playlist_lines {

/// Why a line is wrong; nullopt: it is fine.
using Complaint = std::optional<std::string>;

struct Tag {
  std::string_view name;   // "EXT-X-VERSION"
  std::string_view value;  // behind the colon; empty when there is none
};

inline Tag tag_of(std::string_view line) {
  std::size_t colon = std::min(line.find(':'), line.size());
  return {line.substr(1, colon - 1), line.substr(std::min(colon + 1, line.size()))};
}

inline bool is_tag(std::string_view line) {
  return line.starts_with("#EXT");
}

/// A line without its end, and where it stands with it.
struct Line {
  std::string_view text;
  std::size_t begin = 0, end = 0;
};

inline Line line_at(std::string_view text, std::size_t begin) {
  std::size_t stop = std::min(text.find('\n', begin), text.size());
  std::string_view line = text.substr(begin, stop - begin);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return {line, begin, std::min(stop + 1, text.size())};
}

inline bool is_one_of(std::string_view name, std::span<const std::string_view> names) {
  return std::ranges::find(names, name) != names.end();
}

/// Tags that belong to the segment behind them (8216bis 4.4.4); all others are of the whole
/// playlist.
inline bool is_of_segment(std::string_view name) {
  static constexpr std::string_view of_segments[] = {
      "EXTINF",     "EXT-X-BYTERANGE", "EXT-X-DISCONTINUITY",
      "EXT-X-KEY",  "EXT-X-MAP",       "EXT-X-PROGRAM-DATE-TIME",
      "EXT-X-GAP",  "EXT-X-BITRATE",   "EXT-X-PART",
      "EXT-X-TILES"};
  return is_one_of(name, of_segments);
}

inline bool has_control_character(std::string_view line) {
  return std::ranges::any_of(line, [](char c) {
    auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
}

/// A tag that may stand once only, in either kind of playlist.
inline Complaint take_once(bool& seen, const Tag& tag) {
  if (std::exchange(seen, true)) return fmt::format("#{} stands twice", tag.name);
  return std::nullopt;
}

inline Complaint take_integer(const Tag& tag, std::int64_t least, std::int64_t most,
                              std::int64_t& into) {
  auto value = decimal_integer(tag.value);
  if (!value || *value < least || *value > most) {
    return fmt::format("#{} needs a whole number from {} to {}", tag.name, least, most);
  }
  into = *value;
  return std::nullopt;
}

inline Complaint take_small(const Tag& tag, int least, int& into) {
  constexpr std::int64_t most = 1'000'000;
  std::int64_t value = 0;
  Complaint complaint = take_integer(tag, least, most, value);
  if (!complaint) into = static_cast<int>(value);
  return complaint;
}

/// "1920x1080"
inline bool take_sides(std::string_view text, int& width, int& height) {
  constexpr std::int64_t side_max = 65535;
  std::size_t x = std::min(text.find('x'), text.size());
  auto wide = decimal_integer(text.substr(0, x));
  auto high = decimal_integer(text.substr(std::min(x + 1, text.size())));
  if (!wide || !high || *wide < 1 || *high < 1 || *wide > side_max || *high > side_max)
    return false;
  width = static_cast<int>(*wide);
  height = static_cast<int>(*high);
  return true;
}

inline Complaint take_bare(const Tag& tag, bool& seen) {
  if (!tag.value.empty()) return fmt::format("#{} takes no value", tag.name);
  return take_once(seen, tag);
}

template <class Reader>
Complaint take_line(Reader& reader, std::string_view line) {
  if (has_control_character(line)) return "a control character";
  if (line.empty()) return std::nullopt;
  if (!line.starts_with('#')) return reader.take_uri(line);
  if (!is_tag(line)) return std::nullopt;  // a comment
  return reader.take(tag_of(line));
}

/// `Reader` has: Playlist playlist; Complaint take(Tag), take_uri(text), finish().
template <class Reader>
Result<typename Reader::Playlist> read(std::string_view text) {
  if (text.size() > limits::playlist_bytes_max) {
    return fail(ErrorKind::too_large, ErrorSource::client,
                fmt::format("a playlist of {} bytes; allowed are {}", text.size(),
                            limits::playlist_bytes_max));
  }
  Reader reader;
  std::size_t number = 0;
  Complaint complaint;
  while (!text.empty() && !complaint) {
    ++number;
    std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    bool is_first = number == 1;
    if (is_first && line != "#EXTM3U") complaint = "a playlist begins with #EXTM3U";
    if (!is_first) complaint = take_line(reader, line);
  }
  if (number == 0) complaint = "the playlist is empty";
  if (!complaint) complaint = reader.finish();
  if (complaint) return bad_input(fmt::format("line {}: {}", number, *complaint));
  return std::move(reader.playlist);
}

}  // namespace relay::media::playlist_lines
