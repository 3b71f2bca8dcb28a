#include "transcoder/live/setup.hpp"

#include <algorithm>

#include "transcoder/frame_rate.hpp"
#include "transcoder/sheet.hpp"
#include "transcoder/sound_encoder.hpp"

namespace relay::transcoder::live {

namespace {

std::int64_t most_rungs(const media::LiveChannel& channel, const LiveEncoding& live) {
  return channel.rungs_max > 0 ? std::min(channel.rungs_max, live.rungs_max) : live.rungs_max;
}

std::int64_t timescale_of(const Rendition& rung, Fraction rate) {
  if (rung.frame_step > 1) rate.numerator /= rung.frame_step;
  return timescale_for(rate);
}

}  // namespace

std::vector<Rendition> thinned(std::vector<Rendition> rungs, std::int64_t rungs_max) {
  auto most = static_cast<std::size_t>(std::max<std::int64_t>(rungs_max, 1));
  if (rungs.size() <= most) return rungs;
  std::vector<Rendition> kept = {rungs.front()};
  for (std::size_t i = 1; i < most; ++i)
    kept.push_back(rungs[(i * (rungs.size() - 1) + (most - 1) / 2) / (most - 1)]);
  return kept;
}

std::vector<Rendition> lowered(std::vector<Rendition> rungs, std::int64_t height_max) {
  if (height_max <= 0 || rungs.empty()) return rungs;
  const Rendition least = rungs.back();
  std::erase_if(
      rungs, [&](const Rendition& rung) { return std::min(rung.width, rung.height) > height_max; });
  if (rungs.empty()) rungs.push_back(least);
  return rungs;
}

media::LiveSetup decide_setup(const SourceFacts& facts, const media::LiveChannel& channel,
                              const Encoding& encoding, const LiveEncoding& live) {
  Fraction rate = facts.has_picture ? facts.picture.frame_rate : Fraction{25, 1};
  std::vector<Rendition> rungs;
  if (facts.has_picture) {
    // A rate that cannot be halved exactly would need a second grid.
    bool halving = rate.numerator % 2 == 0;
    rungs = plan_ladder(facts.picture.width, facts.picture.height, rate, halving, encoding.ladder);
    rungs = thinned(lowered(std::move(rungs), channel.height_max), most_rungs(channel, live));
  }
  bool halved = std::ranges::any_of(rungs, [](auto& rung) { return rung.frame_step > 1; });
  media::LiveSetup setup = media::live_grid(channel, rate.numerator, rate.denominator, halved);
  for (const Rendition& rung : rungs)
    setup.renditions.push_back({.name = rung.name,
                                .video = true,
                                .timescale = timescale_of(rung, rate),
                                .width = rung.width,
                                .height = rung.height,
                                .kbit_s = rung.kbit_s,
                                .frame_step = rung.frame_step});
  if (facts.has_picture) {
    TileSize tile = tile_size(facts.picture.width, facts.picture.height);
    setup.tile_width = tile.width;
    setup.tile_height = tile.height;
  }
  setup.renditions.push_back({.name = sound_name,
                              .video = false,
                              .timescale = sound_rate,
                              .kbit_s = encoding.audio_kbit_s});
  return setup;
}

std::vector<Rendition> pictures_of(const media::LiveSetup& setup) {
  std::vector<Rendition> rungs;
  double rate = rate_of(setup).value();
  for (const media::LiveRendition& each : setup.renditions) {
    if (!each.video) continue;
    int level = h264_level(each.width, each.height, rate / each.frame_step, 2 * each.kbit_s);
    rungs.push_back({each.name, each.width, each.height, each.kbit_s, each.frame_step, level});
  }
  return rungs;
}

bool is_high_definition(const media::LiveSetup& setup) {
  constexpr int lines = 720;
  const media::LiveRendition& top = setup.renditions.front();
  return std::min(top.width, top.height) >= lines;
}

}  // namespace relay::transcoder::live
