#include "transcoder/sound_encoder.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/check.hpp"

namespace relay::transcoder {

std::int64_t sound_frame_at(std::int64_t number, Fraction rate) {
  if (number == INT64_MAX) return INT64_MAX;
  __int128 samples = static_cast<__int128>(number) * rate.denominator * sound_rate;
  __int128 unit = static_cast<__int128>(rate.numerator) * sound_frame;
  return static_cast<std::int64_t>((2 * samples + unit) / (2 * unit));
}

Result<SoundEncoder> SoundEncoder::open(std::int64_t kbit_s, std::int64_t first_frame) {
  SoundEncoder encoder;
  encoder.first_frame_ = first_frame;
  const AVCodec* codec = avcodec_find_encoder(AV_CODEC_ID_AAC);
  RELAY_CHECK(codec);
  encoder.context_.reset(avcodec_alloc_context3(codec));
  if (!encoder.context_) av::out_of_memory("a sound encoder");
  AVCodecContext& context = *encoder.context_;
  context.sample_rate = sound_rate;
  context.sample_fmt = AV_SAMPLE_FMT_FLTP;
  context.ch_layout = AV_CHANNEL_LAYOUT_STEREO;
  context.bit_rate = kbit_s * 1000;
  context.profile = FF_PROFILE_AAC_LOW;
  context.time_base = {1, sound_rate};
  context.flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
  if (int code = avcodec_open2(&context, codec, nullptr); code < 0)
    return fail(ErrorKind::internal, ErrorSource::internal,
                fmt::format("the AAC encoder refused {} kbit/s: {}", kbit_s, av::reason(code)));
  RELAY_CHECK(context.frame_size == sound_frame && context.initial_padding == sound_frame);
  return encoder;
}

TrackSpec SoundEncoder::track() const {
  TrackSpec track;
  track.name = "audio";
  track.codec = Codec::aac;
  track.timescale = sound_rate;
  track.extradata.assign(context_->extradata, context_->extradata + context_->extradata_size);
  track.bit_rate_max = context_->bit_rate;
  track.sample_rate = sound_rate;
  track.channels = 2;
  return track;
}

Result<void> SoundEncoder::push(const float* left, const float* right, std::deque<Sample>& done) {
  av::Frame frame = av::make_frame();
  frame->nb_samples = sound_frame;
  frame->format = AV_SAMPLE_FMT_FLTP;
  frame->sample_rate = sound_rate;
  frame->ch_layout = AV_CHANNEL_LAYOUT_STEREO;
  if (av_frame_get_buffer(frame.get(), 0) < 0) av::out_of_memory("sound");
  std::copy_n(left, sound_frame, reinterpret_cast<float*>(frame->data[0]));
  std::copy_n(right, sound_frame, reinterpret_cast<float*>(frame->data[1]));
  frame->pts = frames_in_++ * sound_frame;
  if (int code = avcodec_send_frame(context_.get(), frame.get()); code < 0)
    return fail(ErrorKind::internal, ErrorSource::internal,
                fmt::format("the AAC encoder failed: {}", av::reason(code)));
  while (avcodec_receive_packet(context_.get(), packet_.get()) >= 0) {
    std::int64_t index = packets_out_++ - 1;  // the first packet is priming
    if (index >= 0) {
      std::int64_t time = presentation_base_s * sound_rate + (first_frame_ + index) * sound_frame;
      done.push_back(
          {time, time, sound_frame, true, {packet_->data, packet_->data + packet_->size}});
    }
    av_packet_unref(packet_.get());
  }
  return {};
}

}  // namespace relay::transcoder
