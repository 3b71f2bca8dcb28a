// The init segment of a track (ftyp and moov with its decoder configuration), by libavformat's mov
// muxer; the same track always gives the same bytes.
#pragma once

#include <string>

#include "common/base/error.hpp"
#include "transcoder/track.hpp"

namespace relay::transcoder {

/// CMAF brands, track 1 in the track's timescale, no edit list, no samples. Errors: invalid when
/// the configuration is refused by the muxer, internal otherwise. Opens nothing.
Result<std::string> build_init(const TrackSpec& track);

}  // namespace relay::transcoder
