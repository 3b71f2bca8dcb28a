#include "transcoder/live/sound_path.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "transcoder/sound_encoder.hpp"

namespace relay::transcoder::live {

namespace {
// A longer step is a gap or an overlap; a shorter one is caught up gently.
constexpr double gap_samples = 0.060 * sound_rate;
constexpr double drift_tolerated = 0.001 * sound_rate;
constexpr double drift_smoothing = 0.1;
constexpr int compensation_max = sound_rate / 100;  // a second: nobody hears it
}  // namespace

void SoundPath::push(const AVPacket& packet) {
  if (!decoder_) {
    auto opened = Decoder::open(stream_, limits_, 1, Delay::none);
    if (!opened) return;  // without sound, then
    decoder_.emplace(std::move(*opened));
  }
  decoder_->push(&packet);
  av::Frame frame = av::make_frame();
  while (decoder_->pull(*frame)) {
    if (frame->nb_samples > 0 && frame->sample_rate > 0) take(*frame);
    av_frame_unref(frame.get());
  }
}

void SoundPath::take(const AVFrame& frame) {
  if (!resampler_.fits(frame)) {
    write(resampler_.convert(nullptr));
    if (!resampler_.open(frame)) return;
    output_.describe_sound(fmt::format("{} {} {}", avcodec_get_name(stream_.codecpar->codec_id),
                                       frame.sample_rate, frame.ch_layout.nb_channels));
  }
  std::int64_t time = frame.pts != AV_NOPTS_VALUE ? frame.pts : frame.best_effort_timestamp;
  if (time != AV_NOPTS_VALUE) place(av_rescale(time, sound_rate, 1'000'000));
  write(resampler_.convert(&frame));
}

// The next sample that goes in belongs at `sample`.
void SoundPath::place(std::int64_t sample) {
  std::int64_t next = written_.value_or(0) + resampler_.held();
  auto late = static_cast<double>(sample - next);
  if (!written_ || std::abs(late) > gap_samples) {
    if (written_) write(resampler_.convert(nullptr));
    written_ = sample;
    drift_samples_ = 0;
    return;
  }
  drift_samples_ += drift_smoothing * (late - drift_samples_);
  if (std::abs(drift_samples_) < drift_tolerated) return;
  auto delta = static_cast<int>(std::lround(drift_samples_));
  resampler_.compensate(std::clamp(delta, -compensation_max, compensation_max));
  drift_samples_ = 0;
}

void SoundPath::write(StereoSamples samples) {
  if (!written_ || samples.left.empty()) return;
  output_.add_sound(*written_, samples, clock_.now_us());
  *written_ += static_cast<std::int64_t>(samples.left.size());
}

}  // namespace relay::transcoder::live
