// How large a publisher's pictures are, read off their headers: what is too large for us is refused
// before anything is decoded.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "transcoder/av.hpp"
#include "transcoder/encoding.hpp"

namespace relay::transcoder::live {

/// One thread, one stream.
class PictureLimit {
 public:
  explicit PictureLimit(const SourceLimits& limits) : limits_(limits) {}

  /// Of a picture's packet: why it is not taken, a sentence for the broadcaster; empty: it is, or
  /// its headers do not say how large it is (the decoder has a limit of its own). Only key pictures
  /// are looked at, and those that bring new parameter sets.
  std::string refusal(const AVStream& stream, const AVPacket& packet);

 private:
  struct Close {
    void operator()(AVCodecParserContext* parser) const { av_parser_close(parser); }
  };
  /// `head`: in the place of the stream's, unless it is empty.
  void begin(const AVStream& stream, std::span<const std::uint8_t> head);

  SourceLimits limits_;
  std::unique_ptr<AVCodecParserContext, Close> parser_;
  av::CodecContext context_;  // the parser's notes
};

}  // namespace relay::transcoder::live
