// The way of one stream's pictures from packets to the slot's output, on a thread of its own:
// decode, deinterlace, fit into the channel's size. Packets wait undecoded until shortly before
// they are due, so that what runs ahead costs little memory.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>

#include "common/media/live.hpp"
#include "transcoder/decoder.hpp"
#include "transcoder/live/canvas.hpp"
#include "transcoder/live/channel_clock.hpp"
#include "transcoder/live/slot_output.hpp"
#include "transcoder/picture.hpp"

namespace relay::transcoder::live {

class PicturePath {
 public:
  /// `stream` is looked at here only; `setup`, which has a picture rendition, and those behind it
  /// outlive this.
  PicturePath(const AVStream& stream, const SourceLimits& limits, const media::LiveSetup& setup,
              const ChannelClock& clock, SlotOutput& output);
  /// Stops at once.
  ~PicturePath();
  PicturePath(const PicturePath&) = delete;
  PicturePath& operator=(const PicturePath&) = delete;

  /// Times in microseconds of the channel clock. When too many wait, the packet is dropped and so
  /// are those behind it up to the next key picture.
  void push(av::Packet packet);
  /// Nothing follows.
  void end();
  /// Whether all that was pushed is out.
  bool done() const { return done_; }

 private:
  struct Waiting {
    av::Packet packet;
    std::int64_t pushed_us;
  };
  void run();
  std::optional<Waiting> next();
  void decode(AVPacket* packet);
  void catch_up(const Waiting& waiting);
  void filter(AVFrame& frame);
  void show(const AVFrame& frame);
  void describe(const AVFrame& frame);

  const AVRational rate_;  // as the stream declares it
  const media::LiveSetup& setup_;
  const ChannelClock& clock_;
  SlotOutput& output_;
  const std::int64_t joined_us_;  // what is due before is late by nature

  std::mutex mutex_;  // guards the next five
  std::condition_variable changed_;
  std::deque<Waiting> waiting_;
  std::size_t waiting_bytes_ = 0;
  bool ended_ = false, stopped_ = false;
  bool broken_ = false;  // the pusher's: dropping up to a key picture

  std::atomic<bool> done_ = false;

  // The thread's own.
  std::optional<Decoder> decoder_;
  std::optional<PictureFilter> filter_;
  Canvas canvas_;
  bool interlaced_ = false;
  int transfer_ = -1, width_ = 0, height_ = 0;
  std::optional<std::int64_t> previous_us_;  // the time of the picture before
  std::int64_t step_us_ = 0;
  bool skipping_ = false;  // up to a key picture

  std::jthread thread_;
};

}  // namespace relay::transcoder::live
