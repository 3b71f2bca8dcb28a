#include "transcoder/live/rung.hpp"

#include <utility>

#include "transcoder/caption_data.hpp"
#include "transcoder/live/setup.hpp"

namespace relay::transcoder::live {

namespace {

constexpr double peak_to_average = 1.1;

// What viewers' screens assume at these sizes; a source that means something else is off by a
// shade.
PicturePlan colours_of(const media::LiveSetup& setup) {
  bool high = is_high_definition(setup);
  PicturePlan plan;
  plan.matrix = high ? AVCOL_SPC_BT709 : AVCOL_SPC_SMPTE170M;
  plan.primaries = high ? AVCOL_PRI_BT709 : AVCOL_PRI_SMPTE170M;
  plan.transfer = high ? AVCOL_TRC_BT709 : AVCOL_TRC_SMPTE170M;
  return plan;
}

}  // namespace

Result<Rung> Rung::open(const Rendition& rendition, const Grid& grid, const LiveEncoding& live,
                        int threads) {
  H264Tuning tuning{.preset = live.preset,
                    .crf = live.crf,
                    .peak_to_average = peak_to_average,
                    .threads = threads,
                    .no_delay = true};
  auto opened =
      H264Encoder::open(rendition, colours_of(grid.setup()), rate_of(grid.setup()), tuning);
  if (!opened) return std::unexpected(opened.error());
  return Rung(std::move(*opened), grid);
}

Rung::Rung(H264Encoder h264, const Grid& grid)
    : h264_(std::move(h264)),
      track_(h264_.track()),
      grid_(&grid),
      cutter_(grid, {.step = h264_.rendition().frame_step}) {
}

Result<void> Rung::push(const AVFrame* picture, std::int64_t frame, std::vector<Part>& done) {
  if (picture) previous_ = av::share(*picture);
  if (!previous_) return {};
  // Behind a gap the decoder needs a fresh start.
  bool key = grid_->begins_group(frame) || frame != expected_;
  expected_ = frame + frame_step();
  frames_.push_back(frame);
  if (auto pushed = h264_.push(previous_.get(), pushed_++, key); !pushed) return pushed;
  take_captions(*previous_);  // should it be repeated, they are not
  return pull(done);
}

Result<void> Rung::finish(std::vector<Part>& done) {
  if (auto pushed = h264_.push(nullptr, 0, false); !pushed) return pushed;
  return pull(done);
}

// Pictures come out in the order in which they went in.
Result<void> Rung::pull(std::vector<Part>& done) {
  for (;;) {
    auto coded = h264_.pull();
    if (!coded) return std::unexpected(coded.error());
    if (!*coded || frames_.empty()) return {};
    reached_ = frames_.front();
    frames_.pop_front();
    std::int64_t unit = reached_ / frame_step();
    std::int64_t ticks = h264_.frame_ticks();
    std::int64_t time = presentation_base_s * h264_.timescale() + unit * ticks;
    Sample sample{time, time, ticks, (*coded)->idr, std::move((*coded)->data)};
    if (auto part = cutter_.add(unit, std::move(sample))) done.push_back(std::move(*part));
  }
}

}  // namespace relay::transcoder::live
