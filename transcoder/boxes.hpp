// A media segment as bytes: styp, moof and mdat of CMAF (ISO/IEC 14496-12, 23000-19) with exact
// 64-bit times, and its digest, computed as the bytes are produced. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/error.hpp"
#include "common/base/hash.hpp"
#include "transcoder/track.hpp"

namespace relay::transcoder {

struct SegmentBytes {
  std::string bytes;
  Digest128 digest;
};

/// A piece of a segment: `samples` in one run of track 1; `sequence` grows from fragment to
/// fragment. Fragments one after another are the segment, so only the first has a styp; it must
/// begin with a key frame. Errors as below.
Result<SegmentBytes> build_fragment(const TrackSpec& track, const std::vector<Sample>& samples,
                                    std::int64_t sequence, bool begins_segment);

/// One fragment of track 1 with all samples in one run. Errors: internal when the samples break
/// the rules of track.hpp, too_large above 2 GiB (32-bit offsets).
Result<SegmentBytes> build_segment(const TrackSpec& track, const Segment& segment);

}  // namespace relay::transcoder
