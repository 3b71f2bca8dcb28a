// What of a channel its recording is made of, once it has ended. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "common/media/live_playlist.hpp"
#include "origin/live/window.hpp"

namespace relay::origin::live {

/// From the first segment that can be played to the last one: it has its sound and, if the channel
/// has pictures, one of their renditions; when there is none, one that any rendition has. Gaps in
/// front and behind it say nothing but when the channel was opened and ended. Empty: nothing was
/// made.
SegmentSpan recorded_span(const std::vector<const Window*>& pictures,
                          const std::vector<const Window*>& sounds);

/// Only what lies in the span is left.
void narrow(media::LiveWindow& shown, SegmentSpan span);
/// What a player adds up.
std::int64_t duration_us(const media::LiveWindow& shown);

}  // namespace relay::origin::live
