#include "transcoder/live/picture_limit.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace relay::transcoder::live {

namespace {

std::span<const std::uint8_t> new_head(const AVPacket& packet) {
  std::size_t bytes = 0;
  const auto* data = av_packet_get_side_data(&packet, AV_PKT_DATA_NEW_EXTRADATA, &bytes);
  return {data, data ? bytes : 0};
}

}  // namespace

void PictureLimit::begin(const AVStream& stream, std::span<const std::uint8_t> head) {
  parser_.reset(av_parser_init(stream.codecpar->codec_id));
  context_.reset(avcodec_alloc_context3(nullptr));
  if (!context_) av::out_of_memory("a parser");
  avcodec_parameters_to_context(context_.get(), stream.codecpar);
  if (parser_) parser_->flags |= PARSER_FLAG_COMPLETE_FRAMES;
  if (head.empty()) return;
  av_freep(&context_->extradata);
  context_->extradata =
      static_cast<std::uint8_t*>(av_mallocz(head.size() + AV_INPUT_BUFFER_PADDING_SIZE));
  if (!context_->extradata) av::out_of_memory("a parser");
  std::ranges::copy(head, context_->extradata);
  context_->extradata_size = static_cast<int>(head.size());
}

std::string PictureLimit::refusal(const AVStream& stream, const AVPacket& packet) {
  std::span<const std::uint8_t> head = new_head(packet);
  if (head.empty() && (packet.flags & AV_PKT_FLAG_KEY) == 0) return "";
  // A parser reads a head but once.
  if (!context_ || !head.empty()) begin(stream, head);
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
