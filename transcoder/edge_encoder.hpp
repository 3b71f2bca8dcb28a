// The pictures of a stretch of a finished rendition, encoded again so that they fit in front of or
// behind what stays: the same size, rate, profile and level, and decode times that go on. Only
// groups of pictures that are cut are encoded; those that are whole go along as they are.
//
// Where the encoder's parameter sets are not the source's, they get numbers that the source does
// not use, and stand beside the source's in one configuration that does for both: no break between
// them, in a stream or in a file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "common/base/error.hpp"
#include "transcoder/edge_piece.hpp"
#include "transcoder/encoding.hpp"
#include "transcoder/track.hpp"

namespace relay::transcoder {

struct EdgeTuning {
  std::string preset = "veryfast";
  double crf = 23;
  std::int64_t bit_s_max = 0;
  int threads = 1;
};

struct EdgePictures {
  TrackSpec track;  // its configuration holds the source's parameter sets too; unnamed
  Segment segment;
};

/// Called every so many pictures, for encoding takes long; its error ends the work.
using StillAtWork = std::function<Result<void>()>;
inline constexpr std::size_t still_at_work_pictures = 50;

/// Blocks. Errors: invalid (a segment that can't be decoded whole), internal, `tell`'s.
Result<EdgePictures> encode_edge(const EdgeSegment& of, const EdgeCut& cut,
                                 const SourceLimits& limits, const EdgeTuning& tuning,
                                 const StillAtWork& tell);

}  // namespace relay::transcoder
