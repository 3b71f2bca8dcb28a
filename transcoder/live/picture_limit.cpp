#include "transcoder/live/picture_limit.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace relay::transcoder::live {

std::string PictureLimit::refusal(const AVStream& stream, const AVPacket& packet) {
  if (!context_) {
    parser_.reset(av_parser_init(stream.codecpar->codec_id));
    context_.reset(avcodec_alloc_context3(nullptr));
    if (!context_) av::out_of_memory("a parser");
    avcodec_parameters_to_context(context_.get(), stream.codecpar);
    if (parser_) parser_->flags |= PARSER_FLAG_COMPLETE_FRAMES;
  }
  std::int64_t width = stream.codecpar->width, height = stream.codecpar->height;
  if (parser_) {
    std::uint8_t* ignored;
    int ignored_bytes;
    av_parser_parse2(parser_.get(), context_.get(), &ignored, &ignored_bytes, packet.data,
                     packet.size, AV_NOPTS_VALUE, AV_NOPTS_VALUE, -1);
    if (parser_->width > 0) {
      width = parser_->width;
      height = parser_->height;
    }
  }
  bool fits =
      std::max(width, height) <= limits_.width_max && std::min(width, height) <= limits_.height_max;
  if (fits) return "";
  return fmt::format("the picture is {}x{}, at most {}x{} is allowed", width, height,
                     limits_.width_max, limits_.height_max);
}

}  // namespace relay::transcoder::live
