// How the source's pictures become upright, progressive, square 8-bit SDR pictures.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/error.hpp"
#include "transcoder/av.hpp"
#include "transcoder/track.hpp"

namespace relay::transcoder {

/// What is wrong with the source's pictures, decided once from the stream and its first frames.
struct PicturePlan {
  int width = 0, height = 0;  // upright, square pixels
  Fraction frame_rate;        // constant, of the output
  std::string turn;           // libavfilter's words for it: "transpose=clock", "hflip,vflip", ""
  bool deinterlace = false;   // every field becomes a picture
  bool two_fields = false;    // … and is published; else one picture a frame
  bool to_sdr = false;        // HDR or wide gamut: becomes BT.709
  /// Of the largest rendition, upright; tone mapping is dear and works at this size. 0: as it is.
  int top_width = 0, top_height = 0;
  AVColorSpace matrix = AVCOL_SPC_UNSPECIFIED;  // of the published pictures
  AVColorPrimaries primaries = AVCOL_PRI_UNSPECIFIED;
  AVColorTransferCharacteristic transfer = AVCOL_TRC_UNSPECIFIED;
};

/// Fills in size, turn and colours from a decoded frame and its stream.
PicturePlan plan_picture(const AVStream& stream, const AVFrame& frame);
/// The same of a frame whose stream says nothing more.
PicturePlan plan_picture(const AVFrame& frame);

/// libavfilter's words for a display matrix (ISO 14496-12 tkhd; nullptr: none): transpositions and
/// flips that make the picture upright. Angles between are taken as the nearest quarter turn.
std::string turn_of(const std::int32_t* matrix);

/// Applies deinterlacing, turn and tone mapping; when nothing is to do, frames pass untouched.
/// Times come out in nanoseconds. A change of format in mid-stream is followed.
class PictureFilter {
 public:
  explicit PictureFilter(PicturePlan plan) : plan_(std::move(plan)) {}

  /// Times of `frame` are in `time_base`. Null at the end. Then pull until false.
  Result<void> push(AVFrame* frame, AVRational time_base);
  bool pull(AVFrame& frame);

 private:
  Result<void> build(const AVFrame& frame, AVRational time_base);
  std::string words(const AVFrame& frame) const;
  bool matches(const AVFrame& frame) const;

  PicturePlan plan_;
  av::FilterGraph graph_;
  AVFilterContext* input_ = nullptr;
  AVFilterContext* output_ = nullptr;
  int width_ = 0, height_ = 0, format_ = -1;
  av::Frame waiting_;  // passes untouched
};

}  // namespace relay::transcoder
