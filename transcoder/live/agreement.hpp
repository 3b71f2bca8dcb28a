// The setup of the channel, once there is one: what the first publisher proposes, or what the job
// brought.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>

#include "transcoder/live/setup.hpp"

namespace relay::transcoder::live {

/// Thread-safe. The settings outlive this.
class Agreement {
 public:
  Agreement(const media::LiveJob& job, const Encoding& encoding, const LiveEncoding& live)
      : channel_(job.channel), encoding_(encoding), live_(live) {
    if (job.setup) set(*job.setup);
  }

  /// Null: none yet. It never changes once it is there, and lives as long as this.
  const media::LiveSetup* setup() const { return agreed_.load(std::memory_order_acquire); }
  /// The first proposal is taken.
  void propose(const SourceFacts& facts) {
    std::lock_guard lock(mutex_);
    if (!setup_) set(decide_setup(facts, channel_, encoding_, live_));
  }

 private:
  void set(media::LiveSetup setup) {
    setup_ = std::move(setup);
    agreed_.store(&*setup_, std::memory_order_release);
  }

  media::LiveChannel channel_;
  const Encoding& encoding_;
  const LiveEncoding& live_;
  std::mutex mutex_;  // guards the choice
  std::optional<media::LiveSetup> setup_;
  std::atomic<const media::LiveSetup*> agreed_ = nullptr;
};

}  // namespace relay::transcoder::live
