// What libav's demuxer of transport streams reads: a publisher's bytes, with what it needs to give
// out each picture as soon as it is there (TsRelay, PesTrack).
//
// Two things in libav wait for the next picture: the demuxer for the end of the PES packet, the
// parser for the end of the picture in it. The first is told by a packet behind it, the second by
// the parser's flag that says what comes is complete. It may be set when the parser holds nothing,
// so a delimiter goes ahead. All this stands on one thing: the demuxer asks for more only when it
// has used all that it was given.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "transcoder/av.hpp"
#include "transcoder/live/byte_queue.hpp"
#include "transcoder/live/ts_relay.hpp"

namespace relay::transcoder::live {

/// One thread.
class TsSource {
 public:
  /// `queue` outlives this, and `demuxer` every read().
  TsSource(ByteQueue& queue, const AVFormatContext& demuxer);

  /// Waits for bytes; 0: the end.
  int read(std::uint8_t* into, int room);
  /// When the last packet of the picture that was read last had arrived, or of other bytes.
  std::int64_t arrival_us() const { return arrival_us_; }

 private:
  bool refill();
  bool await_piece();
  void give(std::string bytes);
  AVCodecParserContext* parser_of(int pid) const;
  PictureCoding coding_of(int pid) const;

  ByteQueue& queue_;
  const AVFormatContext& demuxer_;
  TsRelay relay_;
  std::optional<TsPiece> piece_;  // comes next
  bool delimited_ = false;        // its delimiter was given
  bool ended_ = false;
  std::string bytes_;  // at hand
  std::size_t taken_ = 0;
  std::int64_t arrival_us_ = 0;
};

}  // namespace relay::transcoder::live
