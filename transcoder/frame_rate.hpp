// Variable to constant frame rate: which rate, and which output frame a source picture begins at.
// Pure; times are nanoseconds from the first picture.
#pragma once

#include <cstdint>
#include <span>

#include "transcoder/track.hpp"

namespace relay::transcoder {

inline constexpr double frame_rate_max = 60.5;  // nothing published is faster than 60
inline constexpr double frame_rate_min = 10;    // slower sources repeat their pictures

/// The constant rate for a source whose first pictures are shown at `times_ns` (ascending) and
/// that declares `declared` (0/1: nothing). Steady sources keep their rate, snapped to the
/// standard one that is nearest; unsteady ones get the next standard rate that loses no picture;
/// above 60 a whole fraction, below 10 a whole multiple of it.
Fraction choose_frame_rate(std::span<const std::int64_t> times_ns, Fraction declared);

/// Whether the gaps between `times_ns` are all alike, to `tolerance_ns`.
bool is_steady(std::span<const std::int64_t> times_ns, Fraction rate, std::int64_t tolerance_ns);

/// The number of the output frame nearest to `time_ns`: the picture is shown from that frame on
/// until the next one begins. Rounding to the nearest keeps sound and picture together on average
/// and makes times that were rounded to milliseconds harmless.
std::int64_t frame_at(std::int64_t time_ns, Fraction rate);

/// When frame `number` is shown, rounded to the nanosecond.
std::int64_t time_of_frame(std::int64_t number, Fraction rate);

/// Ticks a second, at least 12,800, in which a frame lasts a whole number of ticks.
std::int64_t timescale_for(Fraction rate);

}  // namespace relay::transcoder
