#include "transcoder/live/canvas.hpp"

extern "C" {
#include <libavutil/imgutils.h>
}

#include <algorithm>
#include <cmath>
#include <cstring>

namespace relay::transcoder::live {

namespace {

constexpr int black_level = 16, grey_level = 128;

av::Frame empty_picture(int width, int height) {
  av::Frame frame = av::make_frame();
  frame->width = width;
  frame->height = height;
  frame->format = AV_PIX_FMT_YUV420P;
  if (av_frame_get_buffer(frame.get(), 0) < 0) av::out_of_memory("a picture");
  return frame;
}

int rows_of(const AVFrame& frame, int plane) {
  return plane == 0 ? frame.height : (frame.height + 1) / 2;
}

int columns_of(const AVFrame& frame, int plane) {
  return plane == 0 ? frame.width : (frame.width + 1) / 2;
}

int even(double side, int most) {
  return std::clamp(2 * static_cast<int>(std::lround(side / 2)), 2, most);
}

}  // namespace

void Canvas::measure(const AVFrame& from) {
  from_width_ = from.width;
  from_height_ = from.height;
  from_aspect_ = from.sample_aspect_ratio;
  double stretch = from_aspect_.num > 0 && from_aspect_.den > 0 ? av_q2d(from_aspect_) : 1;
  if (stretch < 0.25 || stretch > 4) stretch = 1;  // a mistake of the stream
  double shape = from.width * stretch / from.height;
  inner_width_ = width_;
  inner_height_ = height_;
  // What differs by less than two pixels is rounding.
  if (shape * height_ < width_ - 2)
    inner_width_ = even(shape * height_, width_);
  else if (width_ / shape < height_ - 2)
    inner_height_ = even(width_ / shape, height_);
  Rendition size{.width = inner_width_, .height = inner_height_};
  scaler_.emplace(std::vector<Rendition>{size});
}

Result<av::Frame> Canvas::fit(const AVFrame& from) {
  bool same = scaler_ && from.width == from_width_ && from.height == from_height_ &&
              av_cmp_q(from.sample_aspect_ratio, from_aspect_) == 0;
  if (!same) measure(from);
  auto scaled = scaler_->scale(from, {true});
  if (!scaled) return std::unexpected(scaled.error());
  av::Frame inner = std::move(scaled->front());
  if (inner_width_ == width_ && inner_height_ == height_) return inner;
  return with_bars(*inner);
}

av::Frame Canvas::with_bars(const AVFrame& inner) const {
  av::Frame frame = black(width_, height_);
  int left = (width_ - inner.width) / 4 * 2, top = (height_ - inner.height) / 4 * 2;
  for (int plane = 0; plane < 3; ++plane) {
    int shift = plane == 0 ? 0 : 1;
    std::uint8_t* into =
        frame->data[plane] + (top >> shift) * frame->linesize[plane] + (left >> shift);
    av_image_copy_plane(into, frame->linesize[plane], inner.data[plane], inner.linesize[plane],
                        columns_of(inner, plane), rows_of(inner, plane));
  }
  return frame;
}

av::Frame black(int width, int height) {
  av::Frame frame = empty_picture(width, height);
  for (int plane = 0; plane < 3; ++plane)
    std::memset(frame->data[plane], plane == 0 ? black_level : grey_level,
                static_cast<std::size_t>(frame->linesize[plane] * rows_of(*frame, plane)));
  return frame;
}

av::Frame darkened(const AVFrame& picture) {
  av::Frame frame = empty_picture(picture.width, picture.height);
  for (int plane = 0; plane < 3; ++plane) {
    int middle = plane == 0 ? black_level : grey_level;
    for (int y = 0; y < rows_of(picture, plane); ++y) {
      const std::uint8_t* from = picture.data[plane] + y * picture.linesize[plane];
      std::uint8_t* into = frame->data[plane] + y * frame->linesize[plane];
      for (int x = 0; x < columns_of(picture, plane); ++x)
        into[x] = static_cast<std::uint8_t>(middle + (from[x] - middle) / 4);
    }
  }
  return frame;
}

}  // namespace relay::transcoder::live
