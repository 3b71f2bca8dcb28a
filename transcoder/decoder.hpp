// Packets in, frames out, in presentation order. Damaged packets are counted and skipped.
#pragma once

#include <cstdint>
#include <memory>

#include "common/base/error.hpp"
#include "transcoder/av.hpp"
#include "transcoder/encoding.hpp"
#include "transcoder/flaws.hpp"

namespace relay::transcoder {

/// Whether a decoder may work at several pictures at once, which costs as many pictures of delay.
enum class Delay { frames, none };

class Decoder {
 public:
  /// `threads` for pictures; with Delay::none they share one.
  static Result<Decoder> open(const AVStream& stream, const SourceLimits& limits, int threads,
                              Delay delay = Delay::frames);

  /// Null at the end of the stream. Take all frames before pushing again.
  void push(const AVPacket* packet);
  /// False when the next packet is needed, or at the end.
  bool pull(AVFrame& frame);

  /// Leaves out what `which` says, to catch up.
  void skip(AVDiscard which) { context_->skip_frame = which; }

  std::int64_t frames() const { return frames_; }
  /// Damaged ones are those that could not be decoded, and those that were by guessing.
  DecodedCount count() const { return {frames_ + lost_, lost_ + concealed_}; }
  const AVCodecContext& context() const { return *context_; }

 private:
  av::CodecContext context_;
  std::int64_t frames_ = 0, lost_ = 0, concealed_ = 0;
};

}  // namespace relay::transcoder
