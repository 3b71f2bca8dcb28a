// HEVC in FLV, which FFmpeg 5.1 does not know: its demuxer gives the bodies of such tags as they
// stand. They are what those of H.264 are (Adobe, "Video File Format Specification" 10.1, E.4.3.2),
// with an HEVCDecoderConfigurationRecord (ISO 14496-15 8.3.3.1) for a head.
#pragma once

#include <cstdint>
#include <string>

#include "transcoder/av.hpp"

namespace relay::transcoder::live {

/// One track's. One thread.
class FlvHevc {
 public:
  /// Whether the demuxer did not know this track, and it is HEVC.
  static bool is(const AVStream& stream);

  /// Makes of a tag's body what the demuxer would have given: a packet with its picture's time.
  /// False: it holds none. The first head goes to `stream`, which has a codec from then on; one
  /// that differs goes with the next picture, as AV_PKT_DATA_NEW_EXTRADATA.
  bool unpack(AVStream& stream, AVPacket& packet);

 private:
  void take_head(AVStream& stream, const AVPacket& packet);

  std::string head_;
  bool is_new_ = false;  // pictures coded by another one went before it
};

}  // namespace relay::transcoder::live
