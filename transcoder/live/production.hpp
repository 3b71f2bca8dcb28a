// Everything that a setup needs at the origin before its first part: the setup, an init segment a
// rendition, the multivariant playlist.
#pragma once

#include <string>
#include <vector>

#include "common/base/error.hpp"
#include "common/media/live.hpp"
#include "transcoder/publisher.hpp"
#include "transcoder/track.hpp"
#include "transcoder/variants.hpp"

namespace relay::transcoder::live {

/// `tracks` as their encoders gave them, in the order of the setup; `captions` are declared from
/// the beginning; `version` names the folder. The answer is what the multivariant playlist was made
/// of.
Result<std::vector<MeasuredTrack>> announce(const media::LiveSetup& setup,
                                            const std::vector<TrackSpec>& tracks,
                                            CaptionChannels captions, const std::string& version,
                                            Publisher& publisher);
/// The multivariant playlist with captions, on `channels`, inside every picture rendition.
Result<void> announce_variants(const media::LiveSetup& setup,
                               const std::vector<MeasuredTrack>& tracks, CaptionChannels channels,
                               const std::string& version, Publisher& publisher);

/// What a player must expect of a rendition at most over one segment: the encoder's peak and what
/// its buffer of a second may add.
std::int64_t segment_peak(const TrackSpec& track, double segment_s);

}  // namespace relay::transcoder::live
