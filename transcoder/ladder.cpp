#include "transcoder/ladder.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

namespace relay::transcoder {

namespace {

constexpr int side_least = 16;
constexpr std::int64_t kbit_s_least = 64;
constexpr double nearly_as_wide = 0.9;

// The nearest even side, but not above the source's.
int even_side(double side, int source_side) {
  int nearest = 2 * static_cast<int>(std::llround(side / 2));
  return std::max(side_least, std::min(nearest, source_side / 2 * 2));
}

Rendition fit(int width, int height, Fraction rate, bool halving, const LadderRung& rung) {
  auto box_width = static_cast<double>(rung.width), box_height = static_cast<double>(rung.height);
  if (height > width) std::swap(box_width, box_height);
  double scale = std::min({box_width / width, box_height / height, 1.0});
  Rendition rendition;
  rendition.width = even_side(width * scale, width);
  rendition.height = even_side(height * scale, height);
  double filled = static_cast<double>(rendition.width) * rendition.height;
  double share = std::min(1.0, filled / (box_width * box_height));
  rendition.kbit_s =
      std::max<std::int64_t>(kbit_s_least, std::llround(static_cast<double>(rung.kbit_s) * share));
  if (rung.half_rate && halving && rate.value() > 30.5) rendition.frame_step = 2;
  return rendition;
}

void name_them(std::vector<Rendition>& renditions) {
  for (auto at = renditions.begin(); at != renditions.end(); ++at) {
    at->name = fmt::format("v{}", std::min(at->width, at->height));
    bool taken = std::any_of(renditions.begin(), at,
                             [&](const Rendition& other) { return other.name == at->name; });
    if (taken) at->name += fmt::format("-{}", at->kbit_s);
  }
}

}  // namespace

std::vector<Rendition> plan_ladder(int width, int height, Fraction rate, bool halving,
                                   const std::vector<LadderRung>& ladder) {
  std::vector<LadderRung> rungs = ladder;
  std::ranges::sort(rungs, {}, [](const LadderRung& rung) {
    return std::pair(rung.width * rung.height, rung.kbit_s);
  });
  std::vector<Rendition> chosen;  // smallest first
  for (const LadderRung& rung : rungs) {
    Rendition next = fit(width, height, rate, halving, rung);
    bool same =
        !chosen.empty() && chosen.back().width == next.width && chosen.back().height == next.height;
    if (same &&
        next.width >= width / 2 * 2) {  // the whole source fits: a larger box only adds bits
      chosen.back().kbit_s = std::max(chosen.back().kbit_s, next.kbit_s);
      chosen.back().frame_step = std::min(chosen.back().frame_step, next.frame_step);
      continue;
    }
    if (same) {  // two rates of one size, as the ladder says
      chosen.push_back(next);
      continue;
    }
    while (!chosen.empty() && chosen.back().width > nearly_as_wide * next.width) chosen.pop_back();
    chosen.push_back(next);
  }
  std::ranges::reverse(chosen);
  for (Rendition& r : chosen)
    r.level = h264_level(r.width, r.height, rate.value() / r.frame_step, 2 * r.kbit_s);
  name_them(chosen);
  return chosen;
}

int h264_level(int width, int height, double rate, std::int64_t kbit_s_max) {
  struct Level {
    int level;
    std::int64_t blocks_s, blocks, kbit_s;  // kbit_s of the Main profile
  };
  // H.264 table A-1.
  static constexpr std::array<Level, 16> levels = {{
      {10, 1485, 99, 64},
      {11, 3000, 396, 192},
      {12, 6000, 396, 384},
      {13, 11880, 396, 768},
      {20, 11880, 396, 2000},
      {21, 19800, 792, 4000},
      {22, 20250, 1620, 4000},
      {30, 40500, 1620, 10000},
      {31, 108000, 3600, 14000},
      {32, 216000, 5120, 20000},
      {40, 245760, 8192, 20000},
      {41, 245760, 8192, 50000},
      {42, 522240, 8704, 50000},
      {50, 589824, 22080, 135000},
      {51, 983040, 36864, 240000},
      {52, 2073600, 36864, 240000},
  }};
  std::int64_t across = (width + 15) / 16, down = (height + 15) / 16;
  for (const Level& level : levels) {
    bool sides = across * across <= 8 * level.blocks && down * down <= 8 * level.blocks;
    if (sides && across * down <= level.blocks && kbit_s_max <= level.kbit_s &&
        static_cast<double>(across * down) * rate <= static_cast<double>(level.blocks_s))
      return level.level;
  }
  return 52;
}

}  // namespace relay::transcoder
