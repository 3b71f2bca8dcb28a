#include "transcoder/h264_encoder.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "transcoder/frame_rate.hpp"
#include "transcoder/nal.hpp"

namespace relay::transcoder {

namespace {

constexpr int never = 1 << 20;  // key pictures come only where we force them

Fraction rate_of(const Rendition& rendition, Fraction full) {
  Fraction rate = full;
  if (rendition.frame_step > 1 && rate.numerator % rendition.frame_step == 0)
    rate.numerator /= rendition.frame_step;
  else
    rate.denominator *= rendition.frame_step;
  return rate;
}

void configure(AVCodecContext& context, const Rendition& rendition, const PicturePlan& picture,
               Fraction rate, const H264Tuning& tuning) {
  context.width = rendition.width;
  context.height = rendition.height;
  context.pix_fmt = AV_PIX_FMT_YUV420P;
  context.sample_aspect_ratio = {1, 1};
  context.framerate = av::rational(rate);
  context.time_base = av_inv_q(context.framerate);
  context.gop_size = never;
  context.max_b_frames = tuning.no_delay ? 0 : 3;
  context.thread_count = tuning.threads;
  if (tuning.no_delay && tuning.threads > 1) context.thread_type = FF_THREAD_SLICE;
  context.level = rendition.level;
  context.profile = tuning.profile;
  auto peak = static_cast<std::int64_t>(static_cast<double>(rendition.kbit_s) * 1000 *
                                        tuning.peak_to_average);
  context.rc_max_rate = peak;
  context.rc_buffer_size = static_cast<int>(std::min<std::int64_t>(peak, INT32_MAX));  // 1 s
  context.flags |= AV_CODEC_FLAG_GLOBAL_HEADER | AV_CODEC_FLAG_CLOSED_GOP;
  context.colorspace = picture.matrix;
  context.color_primaries = picture.primaries;
  context.color_trc = picture.transfer;
  context.color_range = tuning.full_range ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG;
}

// x264 says of every failure only that it is external. Sizes, options and levels are ones that it
// knows, so nothing but memory and threads, which are memory too, can be missing.
void check_memory(int code) {
  if (code == AVERROR_EXTERNAL) av::out_of_memory("an x264 encoder");
  av::check_memory(code, "an x264 encoder");
}

}  // namespace

Result<H264Encoder> H264Encoder::open(const Rendition& rendition, const PicturePlan& picture,
                                      Fraction full_rate, const H264Tuning& tuning) {
  H264Encoder encoder;
  encoder.rendition_ = rendition;
  encoder.rate_ = rate_of(rendition, full_rate);
  encoder.timescale_ = timescale_for(encoder.rate_);
  encoder.frame_ticks_ = encoder.timescale_ * encoder.rate_.denominator / encoder.rate_.numerator;
  const AVCodec* codec = avcodec_find_encoder_by_name("libx264");
  if (!codec)
    return fail(ErrorKind::internal, ErrorSource::internal, "libx264 is missing from libavcodec");
  encoder.context_.reset(avcodec_alloc_context3(codec));
  if (!encoder.context_) av::out_of_memory("an x264 encoder");
  configure(*encoder.context_, rendition, picture, encoder.rate_, tuning);
  AVDictionary* options = nullptr;
  av_dict_set(&options, "preset", tuning.preset.c_str(), 0);
  av_dict_set(&options, "crf", fmt::format("{}", tuning.crf).c_str(), 0);
  av_dict_set(&options, "forced-idr", "1", 0);
  // One frame of reordering: the first decode time is as close to the first picture as B-frames
  // allow. The look-ahead is bounded, for it is delay before the first segment.
  std::string words = "scenecut=0:open-gop=0:b-pyramid=none:sync-lookahead=0:stitchable=1";
  if (tuning.set_id > 0) words += fmt::format(":sps-id={}", tuning.set_id);
  // A picture's duration is known without waiting for the next one.
  if (tuning.no_delay) words += ":rc-lookahead=0:bframes=0:force-cfr=1";
  av_dict_set(&options, "x264-params", words.c_str(), 0);
  int code = avcodec_open2(encoder.context_.get(), codec, &options);
  av_dict_free(&options);
  check_memory(code);
  if (code < 0)
    return fail(ErrorKind::internal, ErrorSource::internal,
                fmt::format("x264 refused {}x{} at {}/{}: {}", rendition.width, rendition.height,
                            encoder.rate_.numerator, encoder.rate_.denominator, av::reason(code)));
  return encoder;
}

TrackSpec H264Encoder::track() const {
  TrackSpec track;
  track.name = rendition_.name;
  track.codec = Codec::h264;
  track.timescale = timescale_;
  BytesView header(context_->extradata, static_cast<std::size_t>(context_->extradata_size));
  if (auto record = make_avcc(split_annex_b(header))) track.extradata = std::move(*record);
  track.bit_rate_max = context_->rc_max_rate;
  track.width = rendition_.width;
  track.height = rendition_.height;
  track.frame_rate = rate_;
  return track;
}

Result<void> H264Encoder::push(const AVFrame* picture, std::int64_t index, bool key) {
  if (!picture) {
    avcodec_send_frame(context_.get(), nullptr);
    return {};
  }
  av::Frame frame = av::share(*picture);
  frame->pts = index;
  frame->pict_type = key ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
  frame->key_frame = 0;
  frame->interlaced_frame = 0;
  if (int code = avcodec_send_frame(context_.get(), frame.get()); code < 0) {
    check_memory(code);
    return fail(ErrorKind::internal, ErrorSource::internal,
                fmt::format("x264 refused a picture: {}", av::reason(code)));
  }
  return {};
}

Result<std::optional<H264Picture>> H264Encoder::pull() {
  int code = avcodec_receive_packet(context_.get(), packet_.get());
  if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return std::nullopt;
  check_memory(code);
  if (code < 0)
    return fail(ErrorKind::internal, ErrorSource::internal,
                fmt::format("x264 failed: {}", av::reason(code)));
  std::vector<BytesView> units =
      split_annex_b({packet_->data, static_cast<std::size_t>(packet_->size)});
  H264Picture picture{packet_->dts, packet_->pts, has_idr(units), to_sample(units)};
  av_packet_unref(packet_.get());
  return picture;
}

}  // namespace relay::transcoder
