// One publisher's stream from its first byte to its end: bytes in, pictures and sound out into the
// slot's output, on the channel clock.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "common/media/feed.hpp"
#include "transcoder/live/agreement.hpp"
#include "transcoder/live/byte_queue.hpp"
#include "transcoder/live/channel_clock.hpp"
#include "transcoder/live/mapping.hpp"
#include "transcoder/live/picture_limit.hpp"
#include "transcoder/live/picture_path.hpp"
#include "transcoder/live/slot_output.hpp"
#include "transcoder/live/sound_path.hpp"
#include "transcoder/live/stream_input.hpp"
#include "transcoder/live/study.hpp"

namespace relay::transcoder::live {

struct StreamTools {
  Agreement& agreement;
  const ChannelClock& clock;
  const SourceLimits& limits;
  const LiveEncoding& live;
};

/// The feed's thread calls; demuxing, mapping and sound have a thread of their own, pictures one
/// more.
class Stream {
 public:
  /// All outlive this.
  Stream(media::FeedFormat format, const StreamTools& tools, SlotOutput& output);
  /// Stops at once.
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// Drops the unit, and counts it, when the stream's queue is full.
  void push(std::string_view unit);
  void end() { queue_.end(); }

 private:
  void run(media::FeedFormat format);
  void take(av::Packet packet);
  void to_microseconds(AVPacket& packet, Track track);
  void study(const AVPacket& packet, Track track);
  bool begin(const media::LiveSetup& setup, const AVPacket& packet, Track track);
  void keep(const AVPacket& packet);
  void show(av::Packet packet, Track track, std::int64_t offset);

  const StreamTools tools_;
  SlotOutput& output_;
  ByteQueue queue_;

  // The demuxing thread's own.
  std::unique_ptr<StreamInput> input_;
  std::array<std::optional<Unwrapper>, 2> unwrappers_;  // by Track
  CompositionOffset composition_;
  Study study_;
  PictureLimit limit_;
  std::string refused_;           // why nothing more of it is taken; empty: all is well
  std::deque<av::Packet> group_;  // since the last key picture, before anything is shown
  std::optional<Mapping> mapping_;
  std::optional<PicturePath> pictures_;
  std::optional<SoundPath> sound_;
  std::int64_t sound_since_ = INT64_MIN;  // arrival of the first, while no picture came

  std::jthread thread_;
};

}  // namespace relay::transcoder::live
