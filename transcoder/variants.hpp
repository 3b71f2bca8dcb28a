// Measured renditions become the multivariant playlist: which variants, in which order, with
// which figures. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/media/bit_rate.hpp"
#include "common/media/playlist.hpp"
#include "transcoder/track.hpp"

namespace relay::transcoder {

/// One rendition that has a playlist.
struct MeasuredTrack {
  TrackSpec track;
  std::string codecs;
  media::BitRate rate;
  media::BitRate key_rate;  // of its key pictures alone, each until the next one
  bool complete = false;    // all its segments are measured
};

/// Peak bit/s to state: measured when complete, else an upper bound from what was asked of the
/// encoder and what was measured so far.
std::int64_t stated_peak(const MeasuredTrack& rendition);
std::int64_t stated_average(const MeasuredTrack& rendition);
/// The same of its I-frame playlist.
std::int64_t stated_key_peak(const MeasuredTrack& rendition);

/// Every video rendition with the default audio (or, without video, every audio rendition as a
/// variant), the one nearest to 2000 kbit/s first (Apple 1.32), the others by rising bandwidth; and
/// the sound alone, where there are pictures.
/// Every picture rendition whose key pictures were measured has an I-frame playlist, for that costs
/// neither a byte nor an object more. `captions`: on which channels every picture rendition speaks
/// them. `folder` stands before each uri: "v1/".
media::MultivariantPlaylist variants_of(const std::vector<MeasuredTrack>& renditions,
                                        CaptionChannels captions, const std::string& folder);

/// The channels that the captions of a multivariant playlist's text are on, so that what was said
/// once stays said by whoever goes on; empty, or not a playlist: none.
CaptionChannels stated_captions(std::string_view multivariant);

}  // namespace relay::transcoder
