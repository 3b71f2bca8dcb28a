// The encoders of all renditions, worked by a few threads from bounded queues.
//
// While the first segments are made the cheapest rendition goes first, so that a viewer starts
// early; after that the fullest queue, so that no core waits. The queues' bound keeps all
// renditions within a second or so of each other: segment n of all of them before n+1.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "transcoder/delivery.hpp"
#include "transcoder/encoder.hpp"

namespace relay::transcoder {

/// One thread calls add, start, push and finish; the workers are its own.
class EncoderPool {
 public:
  /// `hurry_until`: frames below it are of the first segments.
  EncoderPool(Delivery& delivery, StopSignal& stop, std::int64_t hurry_until)
      : delivery_(delivery), stop_(stop), hurry_until_(hurry_until) {}
  ~EncoderPool();

  /// Before start(); the largest first.
  void add(Encoder encoder, int track, std::int64_t pixels);
  void start(int workers);

  std::size_t size() const { return rungs_.size(); }
  /// Earlier ones are published already.
  std::int64_t first_frame(std::size_t rung) const { return rungs_[rung]->encoder.first_frame(); }
  /// Whether rendition `rung` shows frame `number`.
  bool wants(std::size_t rung, std::int64_t number) const;
  /// Blocks while the queue is full; false after a stop.
  bool push(std::size_t rung, av::Frame picture, std::int64_t number);
  /// Lets everything run out and joins the workers.
  void finish();

 private:
  struct Waiting {
    av::Frame picture;
    std::int64_t number;
  };
  struct Rung {
    Encoder encoder;
    int track;
    std::size_t room;
    std::deque<Waiting> queue;
    bool busy = false, flushed = false;
  };
  std::size_t room_at(const Rung& rung, std::int64_t number) const;
  void work();
  Rung* choose();
  void encode(Rung& rung, const Waiting* waiting);

  Delivery& delivery_;
  StopSignal& stop_;
  std::int64_t hurry_until_;
  std::vector<std::unique_ptr<Rung>> rungs_;  // largest first; fixed after start
  std::mutex mutex_;                          // guards queues and flags of the rungs, ending_
  std::condition_variable filled_, emptied_;
  bool ending_ = false;
  std::vector<std::jthread> workers_;
};

}  // namespace relay::transcoder
