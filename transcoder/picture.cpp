#include "transcoder/picture.hpp"

extern "C" {
#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
#include <libavutil/display.h>
#include <libavutil/pixdesc.h>
}

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>

namespace relay::transcoder {

namespace {

bool is_hdr(AVColorTransferCharacteristic transfer) {
  return transfer == AVCOL_TRC_SMPTE2084 || transfer == AVCOL_TRC_ARIB_STD_B67;
}

bool is_rgb(int format) {
  const AVPixFmtDescriptor* description = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(format));
  return description && (description->flags & AV_PIX_FMT_FLAG_RGB) != 0;
}

// Sizes with square pixels; a ratio beyond 4 is a mistake of the file and ignored.
void set_size(PicturePlan& plan, const AVFrame& frame, AVRational ratio) {
  plan.width = frame.width;
  plan.height = frame.height;
  double stretch = ratio.num > 0 && ratio.den > 0 ? av_q2d(ratio) : 1;
  if (stretch < 0.25 || stretch > 4) stretch = 1;
  plan.width = std::max(1, static_cast<int>(std::lround(frame.width * stretch)));
  if (plan.turn.starts_with("transpose")) std::swap(plan.width, plan.height);
}

void set_colours(PicturePlan& plan, const AVFrame& frame) {
  plan.to_sdr = is_hdr(frame.color_trc) || frame.color_primaries == AVCOL_PRI_BT2020;
  if (plan.to_sdr || is_rgb(frame.format)) {
    plan.matrix = AVCOL_SPC_BT709;
    plan.primaries = AVCOL_PRI_BT709;
    plan.transfer = AVCOL_TRC_BT709;
    return;
  }
  plan.matrix = frame.colorspace == AVCOL_SPC_RGB ? AVCOL_SPC_BT709 : frame.colorspace;
  plan.primaries = frame.color_primaries;
  plan.transfer = frame.color_trc;
}

// zscale's own words; what the file leaves open is filled in as HDR files mean it.
std::string sdr_words(const AVFrame& frame, const PicturePlan& plan) {
  const char* transfer = "bt709";
  if (frame.color_trc == AVCOL_TRC_SMPTE2084) transfer = "smpte2084";
  if (frame.color_trc == AVCOL_TRC_ARIB_STD_B67) transfer = "arib-std-b67";
  const char* primaries = frame.color_primaries == AVCOL_PRI_BT709 ? "bt709" : "bt2020";
  const char* matrix = frame.colorspace == AVCOL_SPC_BT709 ? "bt709" : "bt2020nc";
  const char* range = frame.color_range == AVCOL_RANGE_JPEG ? "pc" : "tv";
  std::string from = fmt::format("zscale=tin={}:pin={}:min={}:rin={}", transfer, primaries,
                                 is_rgb(frame.format) ? "gbr" : matrix, range);
  int width = plan.top_width, height = plan.top_height;
  if (plan.turn.starts_with("transpose")) std::swap(width, height);
  if (width > 0 && width < frame.width && height < frame.height)
    from += fmt::format(":w={}:h={}:filter=bicubic", width, height);
  if (!is_hdr(frame.color_trc)) return from + ":p=bt709:t=bt709:m=bt709:r=tv,format=yuv420p";
  return from +
         ":t=linear:npl=203,format=gbrpf32le,zscale=p=bt709,tonemap=tonemap=hable:desat=0,"
         "zscale=t=bt709:m=bt709:r=tv,format=yuv420p";
}

// What the stream says goes before what the frame says; null and 0: nothing.
PicturePlan plan(const AVFrame& frame, AVRational ratio, const std::int32_t* matrix) {
  PicturePlan plan;
  if (const AVFrameSideData* data = av_frame_get_side_data(&frame, AV_FRAME_DATA_DISPLAYMATRIX);
      !matrix && data)
    matrix = reinterpret_cast<const std::int32_t*>(data->data);
  plan.turn = turn_of(matrix);
  if (ratio.num <= 0 || ratio.den <= 0) ratio = frame.sample_aspect_ratio;
  set_size(plan, frame, ratio);
  set_colours(plan, frame);
  return plan;
}

}  // namespace

std::string turn_of(const std::int32_t* matrix) {
  if (!matrix) return "";
  // x' = a x + c y, y' = b x + d y.
  double a = matrix[0], b = matrix[1], c = matrix[3], d = matrix[4];
  if (std::abs(a) + std::abs(d) >= std::abs(b) + std::abs(c)) {
    if (a < 0 && d < 0) return "hflip,vflip";
    if (a < 0) return "hflip";
    return d < 0 ? "vflip" : "";
  }
  if (b > 0) return c > 0 ? "transpose=cclock_flip" : "transpose=clock";
  return c > 0 ? "transpose=cclock" : "transpose=clock_flip";
}

PicturePlan plan_picture(const AVStream& stream, const AVFrame& frame) {
  const auto* matrix = reinterpret_cast<const std::int32_t*>(
      av_stream_get_side_data(&stream, AV_PKT_DATA_DISPLAYMATRIX, nullptr));
  return plan(frame, stream.sample_aspect_ratio, matrix);
}

PicturePlan plan_picture(const AVFrame& frame) {
  return plan(frame, {0, 1}, nullptr);
}

std::string PictureFilter::words(const AVFrame& frame) const {
  std::string words;
  auto add = [&](const std::string& filter) {
    if (!words.empty()) words += ',';
    words += filter;
  };
  if (plan_.deinterlace)
    add(fmt::format("bwdif=mode={}:parity=auto:deint=all",
                    plan_.two_fields ? "send_field" : "send_frame"));
  if (plan_.to_sdr) add(sdr_words(frame, plan_));
  if (!plan_.turn.empty()) add(plan_.turn);
  return words;
}

bool PictureFilter::matches(const AVFrame& frame) const {
  return width_ == frame.width && height_ == frame.height && format_ == frame.format;
}

Result<void> PictureFilter::build(const AVFrame& frame, AVRational time_base) {
  width_ = frame.width;
  height_ = frame.height;
  format_ = frame.format;
  graph_.reset();
  std::string filters = words(frame);
  if (filters.empty()) return {};
  graph_.reset(avfilter_graph_alloc());
  if (!graph_) av::out_of_memory("filters");
  graph_->nb_threads = 2;
  std::string from = fmt::format("video_size={}x{}:pix_fmt={}:time_base={}/{}:pixel_aspect=1/1",
                                 width_, height_, format_, time_base.num, time_base.den);
  int code = avfilter_graph_create_filter(&input_, avfilter_get_by_name("buffer"), "in",
                                          from.c_str(), nullptr, graph_.get());
  if (code >= 0)
    code = avfilter_graph_create_filter(&output_, avfilter_get_by_name("buffersink"), "out",
                                        nullptr, nullptr, graph_.get());
  AVFilterInOut* outputs = avfilter_inout_alloc();
  AVFilterInOut* inputs = avfilter_inout_alloc();
  if (!outputs || !inputs) av::out_of_memory("filters");
  *outputs = {av_strdup("in"), input_, 0, nullptr};
  *inputs = {av_strdup("out"), output_, 0, nullptr};
  if (code >= 0)
    code = avfilter_graph_parse_ptr(graph_.get(), filters.c_str(), &inputs, &outputs, nullptr);
  if (code >= 0) code = avfilter_graph_config(graph_.get(), nullptr);
  avfilter_inout_free(&inputs);
  avfilter_inout_free(&outputs);
  av::check_memory(code, "a picture filter");
  if (code < 0)
    return bad_input(fmt::format("the picture's format cannot be converted: {}", av::reason(code)));
  return {};
}

Result<void> PictureFilter::push(AVFrame* frame, AVRational time_base) {
  if (!frame) {
    if (graph_ && av_buffersrc_add_frame(input_, nullptr) < 0) graph_.reset();
    return {};
  }
  if (!matches(*frame)) {
    if (auto built = build(*frame, time_base); !built) return built;
  }
  if (!graph_) {
    waiting_ = av::share(*frame);
    waiting_->pts = av::to_nanoseconds(frame->pts, time_base);
    return {};
  }
  if (int code = av_buffersrc_add_frame_flags(input_, frame, AV_BUFFERSRC_FLAG_KEEP_REF);
      code < 0) {
    av::check_memory(code, "a filtered picture");
    return bad_input(fmt::format("the picture cannot be converted: {}", av::reason(code)));
  }
  return {};
}

bool PictureFilter::pull(AVFrame& frame) {
  if (waiting_) {
    av_frame_move_ref(&frame, waiting_.get());
    waiting_.reset();
    return true;
  }
  if (!graph_) return false;
  int code = av_buffersink_get_frame(output_, &frame);
  av::check_memory(code, "a filtered picture");
  if (code < 0) return false;
  frame.pts = av::to_nanoseconds(frame.pts, av_buffersink_get_time_base(output_));
  return true;
}

}  // namespace relay::transcoder
