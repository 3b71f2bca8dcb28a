// The CODECS attribute of a track (RFC 6381, RFC 8216bis 4.4.6.2). Pure.
#pragma once

#include <string>

#include "common/base/error.hpp"
#include "transcoder/track.hpp"

namespace relay::transcoder {

/// "avc1.64001f" or "mp4a.40.2", from the track's own decoder configuration; an error of kind
/// invalid when that is too short or not what the codec says.
Result<std::string> codecs_of(const TrackSpec& track);

}  // namespace relay::transcoder
