// The source file as timed packets of at most one picture stream and one sound stream.
//
// Only formats on a whitelist, no protocols, no names, hard limits on streams and pixels. Decode
// and presentation times are unwrapped to 64 bits and joined over jumps, the same way for both
// streams, so several demuxers of one source agree with each other to the tick.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "common/base/error.hpp"
#include "transcoder/av.hpp"
#include "transcoder/encoding.hpp"
#include "transcoder/flaws.hpp"
#include "transcoder/source_io.hpp"
#include "transcoder/timeline_joiner.hpp"

namespace relay::transcoder {

class Demuxer {
 public:
  /// Errors with source client carry the reason for the broadcaster. `stop` must outlive this.
  /// `window`: read only that part of the source.
  static Result<std::unique_ptr<Demuxer>> open(int source_fd, const SourceLimits& limits,
                                               const StopSignal& stop,
                                               std::optional<SourceWindow> window = {});

  /// Null when the source has none that can be decoded.
  const AVStream* video() const { return video_; }
  const AVStream* audio() const { return audio_; }
  /// Declared, 0 when unknown; not to be trusted.
  std::int64_t duration_ns() const;
  const char* format_name() const { return input_->iformat->name; }
  /// BCP 47 language of the sound, "und" when unknown.
  std::string audio_language() const;

  /// Only packets of video() and audio(); false at the end. Damaged input ends early; an error is
  /// a deadline, a stop, or a descriptor that cannot be read.
  Result<bool> next(AVPacket& packet);

  /// Once next() was at the end: how far it came, of the stream that lacks most. nullopt: not there
  /// yet, or the source announces nothing that this could be compared with.
  std::optional<Extent> extent() const;

 private:
  Demuxer(int source_fd, SourceWindow window, const StopSignal& stop);
  Result<void> open_input(const SourceLimits& limits);
  Result<void> choose_streams(const SourceLimits& limits);
  std::optional<Error> io_failure() const;

  /// Of a chosen stream or of all, as the container counts.
  struct Reach {
    std::int64_t begin_ns = 0, read_ns = 0;         // to the end of what was read
    std::optional<std::int64_t> announced_ns = {};  // its end by the head
  };
  Reach& reach_of(const AVStream& stream) { return reach_[&stream == video_ ? 0 : 1]; }
  void announce();
  void note_end(const AVPacket& packet, const AVStream& stream);

  SourceIo io_;
  int source_fd_;
  std::int64_t size_;
  av::Input input_;
  const AVStream* video_ = nullptr;
  const AVStream* audio_ = nullptr;
  std::unique_ptr<TimelineJoiner> joiner_;
  std::array<Reach, 2> reach_;  // of the picture, of the sound
  Reach whole_;                 // announced where these are not
  bool ended_ = false, joined_ = false;
};

}  // namespace relay::transcoder
