// Owning handles for libav objects and its error codes as sentences. Only the rooms that talk to
// libav include this; nothing else touches a raw handle.
#pragma once

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavfilter/avfilter.h>
#include <libavformat/avformat.h>
#include <libavutil/channel_layout.h>
#include <libavutil/frame.h>
#include <libavutil/opt.h>
#include <libswresample/swresample.h>
#include <libswscale/swscale.h>
}

#include <cstdint>
#include <memory>
#include <string>

#include "transcoder/track.hpp"

namespace relay::transcoder::av {

struct Deleter {
  void operator()(AVPacket* packet) const { av_packet_free(&packet); }
  void operator()(AVFrame* frame) const { av_frame_free(&frame); }
  void operator()(AVCodecContext* codec) const { avcodec_free_context(&codec); }
  void operator()(AVFilterGraph* graph) const { avfilter_graph_free(&graph); }
  void operator()(AVFormatContext* input) const { avformat_close_input(&input); }
  void operator()(SwsContext* scaler) const { sws_freeContext(scaler); }
  void operator()(SwrContext* resampler) const { swr_free(&resampler); }
  void operator()(AVCodecParameters* parameters) const { avcodec_parameters_free(&parameters); }
  void operator()(AVIOContext* io) const {
    av_freep(&io->buffer);  // libav may have replaced the one that it was given
    avio_context_free(&io);
  }
};

using Packet = std::unique_ptr<AVPacket, Deleter>;
using Frame = std::unique_ptr<AVFrame, Deleter>;
using CodecContext = std::unique_ptr<AVCodecContext, Deleter>;
using FilterGraph = std::unique_ptr<AVFilterGraph, Deleter>;
using Input = std::unique_ptr<AVFormatContext, Deleter>;
using Scaler = std::unique_ptr<SwsContext, Deleter>;
using Resampler = std::unique_ptr<SwrContext, Deleter>;
using Parameters = std::unique_ptr<AVCodecParameters, Deleter>;
using Io = std::unique_ptr<AVIOContext, Deleter>;

/// Ends the process with media::exit_out_of_memory, for which the origin has words. `what` could
/// not be made. Safe with no memory left; other threads stop where they are.
[[noreturn]] void out_of_memory(const char* what);

/// Returns unless `code`, from libav, says that memory ran out. No caller can go on then, and an
/// error of its own would blame the file.
inline void check_memory(int code, const char* what) {
  if (code == AVERROR(ENOMEM)) out_of_memory(what);
}

/// Never null: running out of memory ends the process.
Packet make_packet();
Frame make_frame();
/// A second reference to the same pictures or samples.
Frame share(const AVFrame& frame);

/// libav's sentence for a negative return value.
std::string reason(int code);

/// libav's own log lines go to ours, warnings and worse at debug level only.
void quiet();

inline std::int64_t to_nanoseconds(std::int64_t ticks, AVRational time_base) {
  return av_rescale_q(ticks, time_base, AVRational{1, 1'000'000'000});
}

inline AVRational rational(Fraction fraction) {
  return {static_cast<int>(fraction.numerator), static_cast<int>(fraction.denominator)};
}

}  // namespace relay::transcoder::av
