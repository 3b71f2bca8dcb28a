// One publisher's bytes on their way to the demuxer, in whole units with the time of their arrival.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>

namespace relay::transcoder::live {

/// Thread-safe: one thread pushes, one reads.
class ByteQueue {
 public:
  explicit ByteQueue(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  /// False when it is full: the unit is dropped.
  bool push(std::string_view unit, std::int64_t arrival_us);
  /// Nothing follows; what is there is still read.
  void end();
  /// Nothing more is read, so nothing more is kept.
  void stop();
  bool stopped() const;
  std::size_t bytes() const;  // that wait

  /// At most one unit or the rest of it; waits for one. 0: the end.
  int read(std::uint8_t* into, int room);
  /// One whole unit; waits for one. Empty: the end. Not together with read().
  std::string take();
  /// When the bytes that were read last had arrived.
  std::int64_t arrival_us() const { return arrival_us_; }

 private:
  struct Unit {
    std::string bytes;
    std::int64_t arrival_us;
  };
  bool wait(std::unique_lock<std::mutex>& lock);

  const std::size_t bytes_max_;
  mutable std::mutex mutex_;  // guards all but arrival_us_ and taken_
  std::condition_variable changed_;
  std::deque<Unit> units_;
  std::size_t bytes_ = 0;
  bool ended_ = false, stopped_ = false;
  std::int64_t arrival_us_ = 0;  // the reader's
  std::size_t taken_ = 0;        // of the first unit
};

}  // namespace relay::transcoder::live
