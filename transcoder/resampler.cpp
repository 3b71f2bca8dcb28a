#include "transcoder/resampler.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "transcoder/sound_encoder.hpp"

namespace relay::transcoder {

bool Resampler::fits(const AVFrame& frame) const {
  return resampler_ && in_rate_ == frame.sample_rate && in_format_ == frame.format &&
         in_channels_ == frame.ch_layout.nb_channels;
}

Result<void> Resampler::open(const AVFrame& frame) {
  AVChannelLayout from = {}, stereo = AV_CHANNEL_LAYOUT_STEREO;
  if (frame.ch_layout.order == AV_CHANNEL_ORDER_UNSPEC)
    av_channel_layout_default(&from, frame.ch_layout.nb_channels);
  else
    av_channel_layout_copy(&from, &frame.ch_layout);
  SwrContext* resampler = nullptr;
  int code =
      swr_alloc_set_opts2(&resampler, &stereo, AV_SAMPLE_FMT_FLTP, sound_rate, &from,
                          static_cast<AVSampleFormat>(frame.format), frame.sample_rate, 0, nullptr);
  if (code >= 0) code = swr_init(resampler);
  av_channel_layout_uninit(&from);
  resampler_.reset(resampler);
  if (code < 0)
    return bad_input(fmt::format("the sound's format cannot be converted: {}", av::reason(code)));
  in_rate_ = frame.sample_rate;
  in_format_ = frame.format;
  in_channels_ = frame.ch_layout.nb_channels;
  return {};
}

StereoSamples Resampler::convert(const AVFrame* frame) {
  if (!resampler_) return {};
  int room = swr_get_out_samples(resampler_.get(), frame ? frame->nb_samples : 0);
  if (room <= 0) return {};
  StereoSamples samples{std::vector<float>(static_cast<std::size_t>(room)),
                        std::vector<float>(static_cast<std::size_t>(room))};
  std::uint8_t* out[2] = {reinterpret_cast<std::uint8_t*>(samples.left.data()),
                          reinterpret_cast<std::uint8_t*>(samples.right.data())};
  const auto** in = frame ? const_cast<const std::uint8_t**>(frame->extended_data) : nullptr;
  int got = swr_convert(resampler_.get(), out, room, in, frame ? frame->nb_samples : 0);
  if (!frame) swr_init(resampler_.get());  // emptied: what comes next begins anew
  got = std::max(got, 0);                  // one damaged frame: the gap is filled at the next
  samples.left.resize(static_cast<std::size_t>(got));
  samples.right.resize(static_cast<std::size_t>(got));
  return samples;
}

std::int64_t Resampler::held() const {
  return resampler_ ? swr_get_delay(resampler_.get(), sound_rate) : 0;
}

void Resampler::compensate(int samples) {
  swr_set_compensation(resampler_.get(), samples, sound_rate);
}

}  // namespace relay::transcoder
