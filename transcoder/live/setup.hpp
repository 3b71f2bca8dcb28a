// What a channel is made of: decided once, by its first publisher, and followed by every
// transcoder after that. Pure.
#pragma once

#include <vector>

#include "common/media/live.hpp"
#include "transcoder/encoding.hpp"
#include "transcoder/ladder.hpp"
#include "transcoder/probe.hpp"

namespace relay::transcoder::live {

inline constexpr const char* sound_name = "audio";

/// The grid at the source's rate and at most `live.rungs_max` rungs of the ladder. A source
/// without sound gets a sound rendition all the same (sound may come later), one without a picture
/// gets no picture.
media::LiveSetup decide_setup(const SourceFacts& facts, const media::LiveChannel& channel,
                              const Encoding& encoding, const LiveEncoding& live);

/// The picture renditions of a setup, as scaler and encoders take them.
std::vector<Rendition> pictures_of(const media::LiveSetup& setup);

/// How much of `rungs` is kept: the first and the last and what lies evenly between.
std::vector<Rendition> thinned(std::vector<Rendition> rungs, std::int64_t rungs_max);

/// Those of `rungs`, dearest first, whose shorter side is within `height_max` pixels, at least the
/// last one. 0: all.
std::vector<Rendition> lowered(std::vector<Rendition> rungs, std::int64_t height_max);

/// Whether its pictures have the colours of high definition (BT.709): 720 lines and more.
bool is_high_definition(const media::LiveSetup& setup);

inline Fraction rate_of(const media::LiveSetup& setup) {
  return {setup.rate_numerator, setup.rate_denominator};
}

}  // namespace relay::transcoder::live
