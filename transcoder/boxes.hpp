// A media segment as bytes: styp, then moof and mdat of CMAF (ISO/IEC 14496-12, 23000-19) with
// exact 64-bit times, and its digest, computed as the bytes are produced. Pure.
//
// A key picture stands in a fragment of its own, so that trick play can have it alone by a byte
// range. That costs nothing: where all samples of a fragment are of one kind, their flags stand
// once.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/error.hpp"
#include "common/base/hash.hpp"
#include "common/media/key_picture.hpp"
#include "transcoder/track.hpp"

namespace relay::transcoder {

struct SegmentBytes {
  std::string bytes;
  Digest128 digest;
  std::vector<media::KeyPicture> keys;  // of video; none less than a second behind the one before
};

/// A piece of a segment, the `number`-th of its track. Pieces one after another are the segment, so
/// only the first has a styp; it must begin with a key picture. Errors as below.
Result<SegmentBytes> build_part(const TrackSpec& track, const std::vector<Sample>& samples,
                                std::int64_t number, bool begins_segment);

/// The whole segment, of track 1. Errors: internal when the samples break the rules of track.hpp,
/// too_large above 2 GiB (32-bit offsets).
Result<SegmentBytes> build_segment(const TrackSpec& track, const Segment& segment);

}  // namespace relay::transcoder
