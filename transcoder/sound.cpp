#include "transcoder/sound.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "common/base/check.hpp"
#include "transcoder/frame_rate.hpp"

namespace relay::transcoder {

namespace {

constexpr double gap_samples = 0.040 * sound_rate;       // a longer step is a gap or an overlap
constexpr double drift_tolerated = 0.0005 * sound_rate;  // above it we speed up or slow down
constexpr double drift_smoothing = 0.05;
constexpr std::int64_t lead_s = 60;  // how far sound may be ahead of the picture

}  // namespace

std::int64_t sound_frame_at(std::int64_t number, Fraction rate) {
  if (number == INT64_MAX) return INT64_MAX;
  __int128 samples = static_cast<__int128>(number) * rate.denominator * sound_rate;
  __int128 unit = static_cast<__int128>(rate.numerator) * sound_frame;
  return static_cast<std::int64_t>((2 * samples + unit) / (2 * unit));
}

Result<SoundEncoder> SoundEncoder::open(std::int64_t kbit_s) {
  SoundEncoder encoder;
  const AVCodec* codec = avcodec_find_encoder(AV_CODEC_ID_AAC);
  RELAY_CHECK(codec);
  encoder.context_.reset(avcodec_alloc_context3(codec));
  RELAY_CHECK(encoder.context_);
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
      std::int64_t time = presentation_base_s * sound_rate + index * sound_frame;
      done.push_back(
          {time, time, sound_frame, true, {packet_->data, packet_->data + packet_->size}});
    }
    av_packet_unref(packet_.get());
  }
  return {};
}

Sound::Sound(Demuxer& demuxer, Decoder decoder, SoundEncoder encoder, const Chunker& chunker,
             Timeline& timeline, Delivery& delivery, Place place)
    : demuxer_(demuxer),
      decoder_(std::move(decoder)),
      encoder_(std::move(encoder)),
      chunker_(chunker),
      timeline_(timeline),
      delivery_(delivery),
      place_(place) {
}

Result<void> Sound::run() {
  av::Packet packet = av::make_packet();
  while (!full()) {
    auto more = demuxer_.next(*packet);
    if (!more) return std::unexpected(more.error());
    if (*more && packet->stream_index != demuxer_.audio()->index) continue;
    decoder_.push(*more ? packet.get() : nullptr);
    if (auto taken = take_all(decoder_); !taken) return taken;
    if (!*more) break;
  }
  if (auto rest = resample(nullptr); !rest) return rest;
  return finish();
}

Result<void> Sound::take_all(Decoder& decoder) {
  av::Frame frame = av::make_frame();
  while (!full() && decoder.pull(*frame)) {
    if (frame->nb_samples > 0 && frame->sample_rate > 0) {
      if (auto taken = take(*frame); !taken) return taken;
    }
    av_frame_unref(frame.get());
  }
  return {};
}

Result<void> Sound::open_resampler(const AVFrame& frame) {
  if (auto rest = resample(nullptr); !rest) return rest;
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

// Brings what we wrote to where `sample` belongs: silence into a gap, trimming of an overlap, and
// a gentle change of speed against drift of the source's clock.
Result<void> Sound::place_at(std::int64_t sample) {
  std::int64_t written = encoded_samples_ + static_cast<std::int64_t>(left_.size()) +
                         swr_get_delay(resampler_.get(), sound_rate) - trim_samples_;
  auto late = static_cast<double>(sample - written);
  bool first = decoder_.frames() == 1;
  if (std::abs(late) > gap_samples || first) {
    drift_samples_ = 0;
    if (late < 0) {
      trim_samples_ += written - sample;
      return {};
    }
    if (auto rest = resample(nullptr); !rest) return rest;
    return add_silence(sample - encoded_samples_ - static_cast<std::int64_t>(left_.size()));
  }
  drift_samples_ += drift_smoothing * (late - drift_samples_);
  if (std::abs(drift_samples_) > drift_tolerated) {
    auto delta = static_cast<int>(std::lround(drift_samples_));
    swr_set_compensation(resampler_.get(), delta, sound_rate);
    drift_samples_ = 0;
  }
  return {};
}

Result<void> Sound::take(const AVFrame& frame) {
  if (!resampler_ || in_rate_ != frame.sample_rate || in_format_ != frame.format ||
      in_channels_ != frame.ch_layout.nb_channels) {
    if (auto opened = open_resampler(frame); !opened) return opened;
  }
  std::int64_t pts = frame.best_effort_timestamp;
  if (pts != AV_NOPTS_VALUE) {
    std::int64_t time = av::to_nanoseconds(pts, demuxer_.audio()->time_base) - place_.zero_ns;
    if (auto placed = place_at(av_rescale(time, sound_rate, 1'000'000'000)); !placed) return placed;
  }
  if (auto done = resample(&frame); !done) return done;
  return encode_whole_frames();
}

// A null frame takes out what the resampler still holds.
Result<void> Sound::resample(const AVFrame* frame) {
  if (!resampler_) return {};
  int room = swr_get_out_samples(resampler_.get(), frame ? frame->nb_samples : 0);
  if (room <= 0) return {};
  std::vector<float> left(static_cast<std::size_t>(room)), right(left.size());
  std::uint8_t* out[2] = {reinterpret_cast<std::uint8_t*>(left.data()),
                          reinterpret_cast<std::uint8_t*>(right.data())};
  const auto** in = frame ? const_cast<const std::uint8_t**>(frame->extended_data) : nullptr;
  int got = swr_convert(resampler_.get(), out, room, in, frame ? frame->nb_samples : 0);
  if (!frame) swr_init(resampler_.get());  // emptied: what comes next begins anew
  if (got < 0) return {};                  // one damaged frame: the gap is filled at the next
  std::int64_t trimmed = std::min<std::int64_t>(trim_samples_, got);
  trim_samples_ -= trimmed;
  left_.insert(left_.end(), left.begin() + trimmed, left.begin() + got);
  right_.insert(right_.end(), right.begin() + trimmed, right.begin() + got);
  return {};
}

Result<void> Sound::add_silence(std::int64_t samples) {
  while (samples > 0 && !full()) {
    auto now = static_cast<std::size_t>(std::min<std::int64_t>(samples, sound_rate));
    left_.resize(left_.size() + now);
    right_.resize(right_.size() + now);
    samples -= static_cast<std::int64_t>(now);
    if (auto encoded = encode_whole_frames(); !encoded) return encoded;
  }
  return {};
}

std::int64_t Sound::picture_frames(std::int64_t samples) const {
  return frame_at(av_rescale(samples, 1'000'000'000, sound_rate), chunker_.rate());
}

Result<void> Sound::encode_whole_frames() {
  std::size_t at = 0;
  for (; left_.size() - at >= sound_frame && !full(); at += sound_frame) {
    if (auto pushed = encoder_.push(left_.data() + at, right_.data() + at, ready_); !pushed)
      return pushed;
    encoded_samples_ += sound_frame;
  }
  left_.erase(left_.begin(), left_.begin() + static_cast<std::ptrdiff_t>(at));
  right_.erase(right_.begin(), right_.begin() + static_cast<std::ptrdiff_t>(at));
  if (at == 0 || place_.alone) {
    deliver_ready();
    return {};
  }
  std::int64_t reached = picture_frames(encoded_samples_);
  timeline_.sound_at(reached);
  std::int64_t lead = picture_frames(lead_s * sound_rate);
  if (reached > lead) timeline_.wait_for_picture(reached - lead);
  deliver_ready();
  return {};
}

std::int64_t Sound::cut_after(std::int64_t segment) const {
  return sound_frame_at(chunker_.first_frame(segment + 1), chunker_.rate());
}

// A segment may go once it is certain that another one follows: the picture has begun it.
void Sound::deliver_ready() {
  Timeline::Mark picture = timeline_.picture();
  if (picture.ended && !place_.alone && !frames_end_) {
    std::int64_t last_cut = sound_frame_at(
        chunker_.first_frame(chunker_.segment_of(std::max<std::int64_t>(picture.frames - 1, 0))),
        chunker_.rate());
    frames_end_ = std::max(sound_frame_at(picture.frames, chunker_.rate()), last_cut + 1);
  }
  for (;;) {
    std::int64_t cut = cut_after(segment_);
    std::int64_t have = frames_out_ + static_cast<std::int64_t>(ready_.size());
    if (have <= cut) return;
    bool follows = place_.alone || picture.frames > chunker_.first_frame(segment_ + 1);
    if (!follows || (frames_end_ && cut >= *frames_end_)) return;
    deliver_segment(cut, false);
  }
}

bool Sound::full() const {
  return frames_end_ && frames_out_ + static_cast<std::int64_t>(ready_.size()) >= *frames_end_;
}

void Sound::deliver_segment(std::int64_t frames_end, bool last) {
  Segment segment;
  segment.track = place_.track;
  segment.number = segment_++;
  segment.last = last;
  segment.start = ready_.front().pts;
  for (; frames_out_ < frames_end; ++frames_out_) {
    segment.duration += sound_frame;
    segment.samples.push_back(std::move(ready_.front()));
    ready_.pop_front();
  }
  if (segment.number >= place_.first_segment) delivery_.deliver(std::move(segment));
}

// Behind the last decoded sample: silence until the picture ends, or the rest of a frame.
Result<void> Sound::finish() {
  std::int64_t samples = encoded_samples_ + static_cast<std::int64_t>(left_.size());
  std::int64_t frames = (samples + sound_frame - 1) / sound_frame;
  timeline_.sound_ends_at(picture_frames(samples));
  if (place_.alone) frames_end_ = std::max<std::int64_t>(frames, 1);
  while (!full()) {
    if (delivery_.failure()) return {};
    if (!frames_end_) {
      // Cut by cut: a segment that is complete must not wait for the end of the picture.
      std::int64_t reached = picture_frames(encoded_samples_);
      std::int64_t segment = segment_;
      timeline_.wait_for_picture(std::min(reached, chunker_.first_frame(segment + 1)));
      deliver_ready();
      if (segment_ > segment) continue;
      Timeline::Mark picture = timeline_.wait_for_picture(reached);
      if (!picture.ended && picture.frames <= reached) return {};  // stopped
    }
    left_.resize(left_.size() + sound_frame);
    right_.resize(left_.size());
    if (auto encoded = encode_whole_frames(); !encoded) return encoded;
    deliver_ready();
  }
  deliver_ready();
  deliver_segment(*frames_end_, true);
  return {};
}

}  // namespace relay::transcoder
