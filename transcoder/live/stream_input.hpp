// One publisher's stream as packets: FLV or MPEG-TS, nothing else, and no looking around first. A
// track is known from its first packet on.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "common/base/error.hpp"
#include "common/media/feed.hpp"
#include "transcoder/av.hpp"
#include "transcoder/encoding.hpp"
#include "transcoder/live/byte_queue.hpp"
#include "transcoder/live/flv_hevc.hpp"
#include "transcoder/live/ts_source.hpp"

namespace relay::transcoder::live {

/// One thread. Not moved: libav keeps a pointer to it.
class StreamInput {
 public:
  /// Waits for the stream's beginning. `queue` outlives this. Errors are sentences for the
  /// broadcaster.
  static Result<std::unique_ptr<StreamInput>> open(media::FeedFormat format, ByteQueue& queue,
                                                   const SourceLimits& limits);

  /// Packets of picture() and sound() only, with the times of the stream; false at its end. A
  /// packet of sound may have no time: of several in one PES packet only the first has.
  bool next(AVPacket& packet);

  /// The first track of its kind that sent a packet and can be decoded; null: none so far.
  const AVStream* picture() const { return picture_; }
  const AVStream* sound() const { return sound_; }
  /// Of a track that is left out because nothing here decodes it; empty: none.
  const std::string& refused() const { return refused_; }
  /// Called when there is one, and no packet for next() to give perhaps.
  void on_refused(std::function<void(const std::string& why)> told) { told_ = std::move(told); }
  /// When what the last packet was in had arrived.
  std::int64_t arrival_us() const;

 private:
  explicit StreamInput(ByteQueue& queue) : queue_(queue) {}
  static int read(void* self, std::uint8_t* into, int room);
  bool choose(const AVStream& stream);

  ByteQueue& queue_;
  std::optional<TsSource> packets_;  // of MPEG-TS; else the queue is read as it is
  av::Io io_;
  av::Input input_;
  const AVStream* picture_ = nullptr;
  const AVStream* sound_ = nullptr;
  std::string refused_;
  std::function<void(const std::string& why)> told_;
  bool is_flv_ = false;
  FlvHevc hevc_;
};

}  // namespace relay::transcoder::live
