// Which segments of a source a clip is made of. Pure.
//
// Numbers of segments mean the same stretch of time in every rendition of a source (the transcoder
// cuts them together), so one decision, made with the first rendition, holds for all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/error.hpp"
#include "common/media/playlist.hpp"

namespace relay::origin::clip {

inline constexpr std::int64_t length_us_min = 100'000;
inline constexpr std::int64_t length_us_max = 24ll * 3600 * 1'000'000;
/// So far outside of what is there a time may lie: clocks of players and documents are rounded.
inline constexpr std::int64_t slack_us = 100'000;

/// A time as it was asked for: on the wall clock (Unix time), or from the source's beginning.
struct Moment {
  bool dated = false;
  std::int64_t us = 0;
};

struct SourceSegment {
  std::int64_t number = 0;  // "12.m4s"; of a clip its place
  std::int64_t us = 0;      // how long it lasts
  bool gap = false;
  /// As a playlist of the new clip names it; empty: the source's own, by its number.
  std::string uri = {};
  std::optional<media::Tiles> tiles = {};  // of a sheet of thumbnails
};

struct SourceRendition {
  std::string name;
  bool video = true;
  std::vector<SourceSegment> segments;  // complete ones; numbers without holes
  std::string map_uri = {};             // as of a segment
};

/// A video, a channel or a clip as it is now.
struct Source {
  std::string asset, version;
  std::optional<std::int64_t> date_us;  // Unix time of the first rendition's first segment
  bool growing = false;                 // more may come
  int target_duration_s = 0;
  std::vector<SourceRendition> renditions;  // video first
  SourceRendition sheets = {};              // of thumbnails, as far as there are any
  /// What of it is meant, from its begin: a rough clip plays more than it was asked to be.
  std::int64_t meant_from_us = 0;
  std::optional<std::int64_t> meant_to_us = {};  // absent: to the end of what is there
};

struct Wish {
  std::optional<Moment> start, end;  // absent: those of what is there, or is meant of a clip
  bool gaps = false;                 // holes of the source may be in it
};

/// Segments `begin` to `end` - 1 of a rendition, by their places in it.
struct Cut {
  std::size_t rendition = 0;  // of the source's
  std::size_t begin = 0, end = 0;
};

/// Times are from the beginning of what all renditions have.
struct Choice {
  std::int64_t start_us = 0, end_us = 0;     // what was asked for
  std::int64_t begin_us = 0, finish_us = 0;  // of the segments that cover it
  std::optional<std::int64_t> date_us;       // Unix time of begin_us
  std::vector<Cut> cuts;                     // those of one number each in step
};

/// Errors: invalid (end before start, too short, too long, outside of what is there, dates of a
/// source that has none, gaps inside), conflict with `retry` (it is not there yet, but may come).
/// A picture rendition with a gap is left out as long as there is another one without.
Result<Choice> choose(const Source& source, const Wish& wish);

/// The same of a source that grows, as far as it is there: `end_us` is what was asked for, and may
/// lie up to `ahead_us_max` behind `finish_us`. Errors: as choose() without an end, and too long
/// with it; conflict with `retry` when it lies further, or the source has no dates to know it by
/// later.
Result<Choice> choose_beginning(const Source& source, const Wish& wish, std::int64_t ahead_us_max);

}  // namespace relay::origin::clip
