// What the request path asks of the store thread, in the order it was asked. Bounded by the bytes
// of bodies that wait or are being written; a store beyond that keeps only its callback and is
// refused when its turn comes. Thread-safe; take() and release() belong to the store thread.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string_view>
#include <variant>
#include <vector>

#include "edge/cache/cache.hpp"

namespace relay::edge::cache {

struct StoreJob {
  Digest128 hash;
  NewObject object;
  std::function<void(bool)> done;
  std::uint64_t queued_bytes = 0;     // the queue's; the object may be taken apart meanwhile
  std::uint64_t arrival = 0;          // see Body
  bool refused = false;               // the queue was full or the body is too big
  bool counted = false;               // the queue's: see stores()
  std::atomic<bool> dropped = false;  // a remove came after it

  StoreJob(Digest128 hash, NewObject object, std::function<void(bool)> done)
      : hash(hash), object(std::move(object)), done(std::move(done)) {}
};

struct HeadJob {
  Digest128 hash;
  std::uint64_t id = 0;
};

/// What a miss of these costs from now on.
struct ValueJob {
  std::vector<Digest128> hashes;
  double value = 1;
};

struct RemoveJob {
  std::vector<Pin> removed;  // already out of the index
  std::function<void()> durable;
};

/// Told when every store that came before has its answer, whether anything could be written or not.
struct WaitJob {
  std::function<void()> answered;
};

using Job = std::variant<StoreJob, HeadJob, ValueJob, RemoveJob, WaitJob>;

class JobQueue {
 public:
  // Objects that come together share the pages and the cost of a commit, so the first of them waits
  // a little for company. Removals do not: somebody waits for them.
  static constexpr std::chrono::milliseconds gather_wait{4};
  static constexpr std::uint64_t gather_bytes = 1 << 20;  // more is worth a commit of its own

  explicit JobQueue(std::uint64_t bytes_max, std::chrono::milliseconds gathering = gather_wait)
      : bytes_max_(bytes_max), gather_wait_(gathering) {}

  void push_store(Digest128 hash, NewObject object, std::function<void(bool)> done);
  void push(HeadJob job);
  void push(ValueJob job);
  void push(RemoveJob job);
  void push(WaitJob job);
  /// Marks every store that was pushed and not released yet and whose key matches.
  void drop(const std::function<bool(std::string_view)>& matches);
  /// Whether a body of this key was handed over and has had no answer yet; not one that was refused
  /// or dropped.
  bool stores(const Digest128& hash) const;
  /// The store thread's answer to a job that it took.
  void answer(StoreJob& job, bool stored);
  /// Ends waits in take() for good.
  void stop();
  bool stopped() const;

  /// Up to `bytes` of bodies (at least one job when there is any); waits at most `wait` for one,
  /// then gather_wait for more.
  /// The jobs stay the queue's, and in reach of drop(), until release().
  const std::vector<std::unique_ptr<Job>>& take(std::uint64_t bytes,
                                                std::chrono::milliseconds wait);
  void release();

 private:
  void push(std::unique_ptr<Job> job);
  void uncount(StoreJob& job);
  static std::uint64_t bytes_of(const Job& job);
  bool enough() const { return stopped_ || hurried_ || bytes_ >= gather_bytes; }

  const std::uint64_t bytes_max_;
  const std::chrono::milliseconds gather_wait_;
  mutable std::mutex lock_;  // guards everything below
  std::condition_variable wake_;
  std::deque<std::unique_ptr<Job>> waiting_;
  std::vector<std::unique_ptr<Job>> working_;
  std::map<Digest128, std::size_t> storing_;  // the jobs that are `counted`
  std::uint64_t bytes_ = 0;
  bool hurried_ = false;  // somebody waits for what is in here
  bool stopped_ = false;
};

}  // namespace relay::edge::cache
