#include "transcoder/decoder.hpp"

#include <fmt/format.h>

namespace relay::transcoder {

Result<Decoder> Decoder::open(const AVStream& stream, const SourceLimits& limits, int threads,
                              Delay delay) {
  const AVCodec* codec = avcodec_find_decoder(stream.codecpar->codec_id);
  if (!codec) return bad_input("the coding of the stream is unknown");
  Decoder decoder;
  decoder.context_.reset(avcodec_alloc_context3(codec));
  if (!decoder.context_) av::out_of_memory("a decoder");
  AVCodecContext& context = *decoder.context_;
  if (int code = avcodec_parameters_to_context(&context, stream.codecpar); code < 0)
    return bad_input(fmt::format("the stream's parameters are damaged: {}", av::reason(code)));
  context.pkt_timebase = stream.time_base;
  context.max_pixels = limits.width_max * limits.height_max;
  context.thread_count = threads;
  context.thread_type = FF_THREAD_SLICE | (delay == Delay::frames ? FF_THREAD_FRAME : 0);
  if (int code = avcodec_open2(&context, codec, nullptr); code < 0) {
    av::check_memory(code, "a decoder");
    return bad_input(
        fmt::format("the {} decoder refused the stream: {}", codec->name, av::reason(code)));
  }
  return decoder;
}

void Decoder::push(const AVPacket* packet) {
  int code = avcodec_send_packet(context_.get(), packet);
  av::check_memory(code, "decoding");
  if (code < 0 && code != AVERROR_EOF && code != AVERROR(EAGAIN)) ++lost_;
}

bool Decoder::pull(AVFrame& frame) {
  for (int failures = 0; failures < 100; ++failures) {
    int code = avcodec_receive_frame(context_.get(), &frame);
    if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return false;
    av::check_memory(code, "decoding");
    if (code < 0) {
      ++lost_;
      continue;
    }
    ++frames_;
    if (frame.decode_error_flags != 0 || (frame.flags & AV_FRAME_FLAG_CORRUPT) != 0) ++concealed_;
    return true;
  }
  return false;
}

}  // namespace relay::transcoder
