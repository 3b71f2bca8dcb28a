// Leaves out of a track what is neither shown nor needed to decode what is. Pure.
#pragma once

#include <cstdint>

#include "origin/download/plan.hpp"

namespace relay::origin::download {

/// Keeps the samples from the last key picture that is shown at `from` or before it to the last one
/// that is shown before `to`, in the order of decoding; times are in the track's timescale. What is
/// shown after `to` but decoded before that stays.
void trim(Track& track, std::uint64_t from, std::uint64_t to);

}  // namespace relay::origin::download
