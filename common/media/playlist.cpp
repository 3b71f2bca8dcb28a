#include "common/media/playlist.hpp"

#include <fmt/format.h>

namespace relay::media {
namespace {

std::string shown(const MediaSegment& segment) {
  return fmt::format("{} of {:.6f} s", segment.uri, segment.seconds());
}

bool same(const MediaSegment& a, const MediaSegment& b) {
  return a.uri == b.uri && a.microseconds() == b.microseconds();
}

/// What stands above the segments, but for the media sequence.
std::optional<std::string> why_not_same_head(const MediaPlaylist& previous,
                                             const MediaPlaylist& next) {
  if (next.version != previous.version) {
    return fmt::format("the version changed from {} to {}", previous.version, next.version);
  }
  if (next.target_duration_s != previous.target_duration_s) {
    return fmt::format("the target duration changed from {} to {}", previous.target_duration_s,
                       next.target_duration_s);
  }
  if (next.type != previous.type) return "the playlist type changed";
  if (next.independent_segments != previous.independent_segments) {
    return "EXT-X-INDEPENDENT-SEGMENTS came or went";
  }
  if (next.map_uri != previous.map_uri) {
    return fmt::format("the map changed from '{}' to '{}'", previous.map_uri, next.map_uri);
  }
  return std::nullopt;
}

/// Segments gone from the front: allowed in a sliding window only (RFC 8216bis 6.2.1).
std::optional<std::string> why_not_slide(const MediaPlaylist& previous, const MediaPlaylist& next) {
  if (next.media_sequence < previous.media_sequence) {
    return fmt::format("the media sequence went back from {} to {}", previous.media_sequence,
                       next.media_sequence);
  }
  bool slid = next.media_sequence > previous.media_sequence;
  if (slid && previous.type != PlaylistType::none) {
    return "segments were taken from the front of a list that may only grow";
  }
  return std::nullopt;
}

std::optional<std::string> why_not_same_segments(const MediaPlaylist& previous,
                                                 const MediaPlaylist& next) {
  auto slid = static_cast<std::uint64_t>(next.media_sequence) -
              static_cast<std::uint64_t>(previous.media_sequence);
  for (std::size_t i = slid; i < previous.segments.size(); ++i) {
    std::size_t at = i - slid;
    if (at >= next.segments.size()) {
      return fmt::format("segment {} was taken back", shown(previous.segments[i]));
    }
    if (!same(previous.segments[i], next.segments[at])) {
      return fmt::format("segment {} became {}", shown(previous.segments[i]),
                         shown(next.segments[at]));
    }
  }
  return std::nullopt;
}

std::optional<std::string> why_not_final(const MediaPlaylist& previous, const MediaPlaylist& next) {
  bool is_final = previous.ended || previous.type == PlaylistType::vod;
  bool changed = next.segments.size() != previous.segments.size() ||
                 next.media_sequence != previous.media_sequence;
  if (is_final && changed) return "segments came or went after the end of the list";
  if (previous.ended && !next.ended) return "EXT-X-ENDLIST was taken back";
  return std::nullopt;
}

}  // namespace

std::int64_t MediaSegment::microseconds() const {
  // 128 bits: a count of 1/90000 s over days times a million does not fit 64.
  __extension__ using Wide = __int128;
  return static_cast<std::int64_t>((static_cast<Wide>(duration) * 1'000'000 + timescale / 2) /
                                   timescale);
}

std::optional<std::string> why_not_extension(const MediaPlaylist& previous,
                                             const MediaPlaylist& next) {
  for (auto rule : {why_not_same_head, why_not_slide, why_not_same_segments, why_not_final}) {
    if (auto reason = rule(previous, next)) return reason;
  }
  return std::nullopt;
}

}  // namespace relay::media
