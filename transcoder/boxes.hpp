// A media segment as bytes: styp, moof and mdat of CMAF (ISO/IEC 14496-12, 23000-19) with exact
// 64-bit times, and its digest, computed as the bytes are produced. Pure.
#pragma once

#include <string>

#include "common/base/error.hpp"
#include "common/base/hash.hpp"
#include "transcoder/track.hpp"

namespace relay::transcoder {

struct SegmentBytes {
  std::string bytes;
  Digest128 digest;
};

/// One fragment of track 1 with all samples in one run. Errors: internal when the samples break
/// the rules of track.hpp, too_large above 2 GiB (32-bit offsets).
Result<SegmentBytes> build_segment(const TrackSpec& track, const Segment& segment);

}  // namespace relay::transcoder
