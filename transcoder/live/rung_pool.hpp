// The rungs of a channel, worked by a few threads. What waits is bounded: a rung that falls behind
// encodes its last picture again in place of those that it cannot hold, so that its numbers go on;
// far behind it leaves out the rest of its segment.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "transcoder/live/channel_clock.hpp"
#include "transcoder/live/part_output.hpp"
#include "transcoder/live/rung.hpp"

namespace relay::transcoder::live {

/// The mixer's thread calls; the workers are its own.
class RungPool {
 public:
  RungPool(const Grid& grid, const ChannelClock& clock, PartOutput& output)
      : grid_(grid), clock_(clock), output_(output) {}
  ~RungPool();

  /// Before start(); the dearest first.
  void add(Rung rung);
  void start(int workers);
  std::size_t size() const { return lanes_.size(); }
  const Rung& rung(std::size_t index) const { return lanes_[index]->rung; }

  /// The picture of `frame` for one rung that wants it. Never waits.
  void push(std::size_t index, av::Frame picture, std::int64_t frame);
  /// Lets everything run out and joins the workers.
  void finish();

  /// How long after its moment the latest frame came out of its encoder, since the last call; of
  /// frames that still wait, so far.
  std::int64_t encode_delay_us();

 private:
  struct Waiting {
    av::Frame picture;  // null: the one before
    std::int64_t frame;
  };
  struct Lane {
    explicit Lane(Rung opened) : rung(std::move(opened)) {}
    Rung rung;
    std::deque<Waiting> queue;
    bool busy = false, flushed = false;
    bool broken = false;  // frames are left out up to a next segment
  };
  void work();
  Lane* choose();
  void encode(Lane& lane, const Waiting* waiting);

  const Grid& grid_;
  const ChannelClock& clock_;
  PartOutput& output_;
  std::vector<std::unique_ptr<Lane>> lanes_;  // fixed after start
  std::mutex mutex_;                          // guards queues and flags of the lanes and the rest
  std::condition_variable filled_;
  bool ending_ = false, stopped_ = false;
  std::int64_t delay_us_ = 0;
  std::vector<std::jthread> workers_;
};

}  // namespace relay::transcoder::live
