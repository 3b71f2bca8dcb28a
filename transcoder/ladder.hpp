// Which renditions a source gets: sizes, rates, names. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "transcoder/encoding.hpp"
#include "transcoder/track.hpp"

namespace relay::transcoder {

struct Rendition {
  std::string name;  // "v720": the shorter side
  int width = 0, height = 0;
  std::int64_t kbit_s = 0;  // average asked for
  int frame_step = 1;       // 2: every second frame
  int level = 0;            // of H.264, times ten: 31
};

/// Largest first, so that each can be scaled from the one before; at least one. A `width` ×
/// `height` picture (upright, square pixels) is fitted into each rung, a portrait one into the
/// rung turned; nothing is enlarged, except that no side is shorter than 16, the least that
/// hardware decoders take (a smaller picture is stretched). Rungs that come out nearly as large
/// as the next are left out. `halving`: whether every second frame may be left away, which needs
/// all key frames at even numbers.
std::vector<Rendition> plan_ladder(int width, int height, Fraction rate, bool halving,
                                   const std::vector<LadderRung>& ladder);

/// The lowest level of H.264 that allows such a stream, times ten.
int h264_level(int width, int height, double rate, std::int64_t kbit_s_max);

}  // namespace relay::transcoder
