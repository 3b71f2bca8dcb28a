// Commits do not sync; this thread does, every few seconds when there was a commit, so that what
// is dirty stays bounded and a stop does not take long. It never delays the store thread.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>

#include "edge/cache/volume.hpp"

namespace relay::edge::cache {

class Syncer {
 public:
  static constexpr std::chrono::seconds interval{5};
  explicit Syncer(std::shared_ptr<Volume> volume);
  ~Syncer();  // waits for a sync that is under way
  /// No sync is under way while it is held.
  std::unique_lock<std::mutex> pause() { return std::unique_lock(syncing_); }
  /// A commit went through. From any thread.
  void note_commit() { commits_.fetch_add(1, std::memory_order_relaxed); }

 private:
  void run(std::stop_token stop);

  std::shared_ptr<Volume> volume_;
  std::atomic<std::uint64_t> commits_{0};
  std::mutex lock_;     // for the wait only
  std::mutex syncing_;  // held while LMDB is called
  std::condition_variable_any wake_;
  std::jthread thread_;  // last: it uses the others
};

}  // namespace relay::edge::cache
