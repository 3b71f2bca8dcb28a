#include "edge/cache/job_queue.hpp"

namespace relay::edge::cache {

std::uint64_t JobQueue::bytes_of(const Job& job) {
  const auto* store = std::get_if<StoreJob>(&job);
  return store ? store->queued_bytes : 0;
}

void JobQueue::push(std::unique_ptr<Job> job) {
  bool wake = false;
  {
    std::lock_guard guard(lock_);
    auto* store = std::get_if<StoreJob>(job.get());
    if (store) store->queued_bytes = store->object.memory_bytes();
    if (store && bytes_ > 0 && bytes_ + store->queued_bytes > bytes_max_) {
      store->queued_bytes = 0;
      store->refused = true;
      store->object = {.body_bytes = store->object.body_bytes,
                       .awaited = store->object.awaited};  // was asked for all the same
    }
    if (store && !store->refused) {
      store->counted = true;
      ++storing_[store->hash];
    }
    bytes_ += bytes_of(*job);
    hurried_ = hurried_ || std::holds_alternative<RemoveJob>(*job) ||
               std::holds_alternative<WaitJob>(*job);
    waiting_.push_back(std::move(job));
    wake = waiting_.size() == 1 || enough();
  }
  if (wake) wake_.notify_one();
}

void JobQueue::push_store(Digest128 hash, NewObject object, std::function<void(bool)> done) {
  push(std::make_unique<Job>(std::in_place_type<StoreJob>, hash, std::move(object),
                             std::move(done)));
}

void JobQueue::push(HeadJob job) {
  push(std::make_unique<Job>(std::move(job)));
}

void JobQueue::push(ValueJob job) {
  push(std::make_unique<Job>(std::move(job)));
}

void JobQueue::push(RemoveJob job) {
  push(std::make_unique<Job>(std::move(job)));
}

void JobQueue::push(WaitJob job) {
  push(std::make_unique<Job>(std::move(job)));
}

void JobQueue::drop(const std::function<bool(std::string_view)>& matches) {
  std::lock_guard guard(lock_);
  auto mark = [&](const std::unique_ptr<Job>& job) {
    auto* store = std::get_if<StoreJob>(job.get());
    if (!store || !matches(store->object.key)) return;
    store->dropped = true;
    uncount(*store);
  };
  for (const auto& job : waiting_) mark(job);
  for (const auto& job : working_) mark(job);
}

bool JobQueue::stores(const Digest128& hash) const {
  std::lock_guard guard(lock_);
  return storing_.contains(hash);
}

void JobQueue::answer(StoreJob& job, bool stored) {
  {
    std::lock_guard guard(lock_);
    uncount(job);
  }
  if (job.done) job.done(stored);
}

/// Under the lock.
void JobQueue::uncount(StoreJob& job) {
  if (!std::exchange(job.counted, false)) return;
  auto at = storing_.find(job.hash);
  if (--at->second == 0) storing_.erase(at);
}

void JobQueue::stop() {
  {
    std::lock_guard guard(lock_);
    stopped_ = true;
  }
  wake_.notify_one();
}

bool JobQueue::stopped() const {
  std::lock_guard guard(lock_);
  return stopped_ && waiting_.empty();
}

const std::vector<std::unique_ptr<Job>>& JobQueue::take(std::uint64_t bytes,
                                                        std::chrono::milliseconds wait) {
  std::unique_lock guard(lock_);
  wake_.wait_for(guard, wait, [&] { return stopped_ || !waiting_.empty(); });
  if (!waiting_.empty()) wake_.wait_for(guard, gather_wait_, [&] { return enough(); });
  std::uint64_t taken = 0;
  while (!waiting_.empty()) {
    std::uint64_t next = bytes_of(*waiting_.front());
    if (!working_.empty() && taken + next > bytes) break;
    taken += next;
    working_.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  hurried_ = hurried_ && !waiting_.empty();
  return working_;
}

void JobQueue::release() {
  std::vector<std::unique_ptr<Job>> ended;
  std::uint64_t bytes = 0;
  for (const auto& job : working_) bytes += bytes_of(*job);
  std::lock_guard guard(lock_);
  for (const auto& job : working_) {
    if (auto* store = std::get_if<StoreJob>(job.get())) uncount(*store);
  }
  ended.swap(working_);  // destroyed after the lock
  bytes_ -= bytes;
}

}  // namespace relay::edge::cache
