// Any picture in the one size of the channel: fitted in, with black bars where its shape differs.
#pragma once

#include <optional>

#include "common/base/error.hpp"
#include "transcoder/av.hpp"
#include "transcoder/scaler.hpp"

namespace relay::transcoder::live {

/// One thread.
class Canvas {
 public:
  Canvas(int width, int height) : width_(width), height_(height) {}

  /// `from` has square pixels after stretching by its sample aspect ratio. A change of its size is
  /// followed. Planes of the answer may be shared with `from`.
  Result<av::Frame> fit(const AVFrame& from);

 private:
  void measure(const AVFrame& from);
  av::Frame with_bars(const AVFrame& inner) const;

  int width_, height_;
  int from_width_ = 0, from_height_ = 0;
  AVRational from_aspect_{0, 1};
  int inner_width_ = 0, inner_height_ = 0;
  std::optional<Scaler> scaler_;
};

/// `picture` (8 bit, 4:2:0) a quarter as bright, or black: what is shown when nothing comes.
av::Frame darkened(const AVFrame& picture);
av::Frame black(int width, int height);

}  // namespace relay::transcoder::live
