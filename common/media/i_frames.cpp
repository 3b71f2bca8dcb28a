#include "common/media/i_frames.hpp"

#include <algorithm>
#include <utility>

#include "common/base/check.hpp"
#include "common/media/date.hpp"

namespace relay::media {
namespace {

/// `segment` from one of its moments to another, in microseconds from its begin.
MediaSegment piece(const MediaSegment& segment, std::int64_t from, std::int64_t to) {
  MediaSegment piece = segment;
  piece.duration = to - from;
  piece.timescale = us_per_s;
  if (piece.date_us) *piece.date_us += from;
  return piece;
}

void append_gap(std::vector<MediaSegment>& frames, const MediaSegment& segment, std::size_t count) {
  std::int64_t length = segment.microseconds();
  for (std::size_t i = 0; i < count; ++i) {
    auto at = [&](std::size_t k) {
      return length * static_cast<std::int64_t>(k) / static_cast<std::int64_t>(count);
    };
    frames.push_back(piece(segment, at(i), at(i + 1)));
    frames.back().gap = true;
  }
}

void append_frames(std::vector<MediaSegment>& frames, const MediaSegment& segment,
                   const std::vector<KeyPicture>& keys) {
  for (std::size_t i = 0; i < keys.size(); ++i) {
    bool is_last = i + 1 == keys.size();
    std::int64_t end = is_last ? segment.microseconds() : keys[i + 1].microseconds;
    frames.push_back(piece(segment, keys[i].microseconds, end));
    frames.back().range = ByteRange{keys[i].offset, keys[i].bytes};
  }
}

bool is_inside(const MediaSegment& segment, const std::vector<KeyPicture>& keys) {
  return !keys.empty() && keys.back().microseconds < segment.microseconds();
}

}  // namespace

MediaPlaylist i_frames_of(const MediaPlaylist& of, const std::vector<std::vector<KeyPicture>>& keys,
                          std::size_t a_segment) {
  RELAY_CHECK(keys.size() == of.segments.size());
  a_segment = std::max<std::size_t>(a_segment, 1);
  for (const auto& each : keys) a_segment = std::max(a_segment, each.size());
  MediaPlaylist playlist = of;
  playlist.contents = Contents::i_frames;
  playlist.media_sequence = of.media_sequence * static_cast<std::int64_t>(a_segment);
  playlist.segments.clear();
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const MediaSegment& segment = of.segments[i];
    std::size_t before = playlist.segments.size();
    if (segment.gap || !is_inside(segment, keys[i]))
      append_gap(playlist.segments, segment, a_segment);
    else
      append_frames(playlist.segments, segment, keys[i]);
    // Of a break only the first one tells.
    for (std::size_t k = before + 1; k < playlist.segments.size(); ++k) {
      playlist.segments[k].discontinuity = false;
      playlist.segments[k].map_uri.clear();
    }
  }
  return playlist;
}

}  // namespace relay::media
