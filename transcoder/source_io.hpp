// The source descriptor as libav's input: reads by position, stops at a deadline or when asked.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>

#include "common/base/error.hpp"
#include "transcoder/av.hpp"

namespace relay::transcoder {

/// Shared by all threads of a run: why to stop, if at all.
class StopSignal {
 public:
  explicit StopSignal(std::chrono::steady_clock::time_point deadline) : deadline_(deadline) {}
  void stop() { stopped_.store(true, std::memory_order_relaxed); }
  bool stopped() const { return stopped_.load(std::memory_order_relaxed); }
  bool late() const { return std::chrono::steady_clock::now() > deadline_; }

 private:
  std::atomic<bool> stopped_ = false;
  std::chrono::steady_clock::time_point deadline_;
};

/// The part of the source that a reader sees as the whole.
struct SourceWindow {
  std::int64_t offset = 0, bytes = 0;
};

/// One reader of the source with its own position; many may share a descriptor, for each read
/// names its place. Not moved: libav keeps a pointer to it.
class SourceIo {
 public:
  SourceIo(int fd, SourceWindow window, const StopSignal& stop);
  SourceIo(const SourceIo&) = delete;
  SourceIo& operator=(const SourceIo&) = delete;

  AVIOContext* context() { return io_.get(); }
  const StopSignal& stop() const { return stop_; }
  /// False after a read error of the descriptor itself.
  bool healthy() const { return healthy_; }

 private:
  static int read(void* self, std::uint8_t* into, int room);
  static std::int64_t seek(void* self, std::int64_t offset, int whence);

  int fd_;
  SourceWindow window_;
  std::int64_t position_ = 0;  // in the window
  const StopSignal& stop_;
  bool healthy_ = true;
  av::Io io_;
};

}  // namespace relay::transcoder
