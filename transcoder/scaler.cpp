#include "transcoder/scaler.hpp"

extern "C" {
#include <libavutil/pixdesc.h>
}

#include <algorithm>

#include <fmt/format.h>

namespace relay::transcoder {

namespace {

constexpr int one = 1 << 16;  // swscale's 1.0 for contrast and saturation

bool full_range(const AVFrame& frame) {
  return frame.color_range == AVCOL_RANGE_JPEG || frame.format == AV_PIX_FMT_YUVJ420P ||
         frame.format == AV_PIX_FMT_YUVJ422P || frame.format == AV_PIX_FMT_YUVJ444P ||
         frame.format == AV_PIX_FMT_YUVJ440P;
}

bool is_rgb(const AVFrame& frame) {
  const auto* description = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(frame.format));
  return description && (description->flags & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL)) != 0;
}

}  // namespace

Scaler::Scaler(const std::vector<Rendition>& sizes) {
  for (const Rendition& size : sizes) steps_.push_back({size.width, size.height, nullptr});
}

Result<void> Scaler::prepare(Step& step, const AVFrame& from) {
  int range = full_range(from) ? 1 : 0;
  if (step.scaler && step.from_width == from.width && step.from_height == from.height &&
      step.from_format == from.format && step.from_range == range)
    return {};
  step.scaler.reset(sws_getContext(from.width, from.height, static_cast<AVPixelFormat>(from.format),
                                   step.width, step.height, AV_PIX_FMT_YUV420P, SWS_BICUBIC,
                                   nullptr, nullptr, nullptr));
  if (!step.scaler) return bad_input("the picture's format cannot be scaled");
  // YUV keeps its matrix; RGB becomes BT.709.
  const int* matrix = sws_getCoefficients(SWS_CS_ITU709);
  const int* source = is_rgb(from) ? sws_getCoefficients(SWS_CS_DEFAULT) : matrix;
  sws_setColorspaceDetails(step.scaler.get(), source, is_rgb(from) ? 1 : range, matrix, 0, 0, one,
                           one);
  step.from_width = from.width;
  step.from_height = from.height;
  step.from_format = from.format;
  step.from_range = range;
  return {};
}

Result<av::Frame> Scaler::apply(Step& step, const AVFrame& from) {
  if (from.width == step.width && from.height == step.height && from.format == AV_PIX_FMT_YUV420P &&
      !full_range(from))
    return av::share(from);
  if (auto prepared = prepare(step, from); !prepared) return std::unexpected(prepared.error());
  av::Frame scaled = av::make_frame();
  scaled->width = step.width;
  scaled->height = step.height;
  scaled->format = AV_PIX_FMT_YUV420P;
  if (av_frame_get_buffer(scaled.get(), 0) < 0) av::out_of_memory("a scaled picture");
  sws_scale(step.scaler.get(), from.data, from.linesize, 0, from.height, scaled->data,
            scaled->linesize);
  return scaled;
}

Result<std::vector<av::Frame>> Scaler::scale(const AVFrame& source,
                                             const std::vector<bool>& needed) {
  std::vector<av::Frame> pictures(steps_.size());
  auto last = std::find(needed.rbegin(), needed.rend(), true);
  auto count = static_cast<std::size_t>(needed.rend() - last);
  const AVFrame* from = &source;
  for (std::size_t i = 0; i < count; ++i) {
    auto picture = apply(steps_[i], *from);
    if (!picture) return std::unexpected(picture.error());
    pictures[i] = std::move(*picture);
    from = pictures[i].get();
  }
  for (std::size_t i = 0; i < count; ++i)
    if (!needed[i]) pictures[i].reset();
  return pictures;
}

}  // namespace relay::transcoder
