// Wakes every coroutine that waits for something to change, each on its own thread. Nobody polls.
#pragma once

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>

#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

#include "common/net/task.hpp"

namespace relay::net {

/// A version that rises. A waiter reads version() before it looks at the state that it waits on,
/// so a change in between is never missed. Thread-safe. Must outlive its waiters.
class Broadcast {
 public:
  std::uint64_t version() const {
    std::lock_guard lock(mutex_);
    return version_;
  }

  void notify() {
    std::vector<Waiter> waiters;
    {
      std::lock_guard lock(mutex_);
      ++version_;
      waiters.swap(waiters_);
    }
    for (Waiter& waiter : waiters) resume(std::move(waiter));
  }

  /// Returns once version() differs from `seen`.
  Task<void> wait(std::uint64_t seen) {
    auto executor = co_await asio::this_coro::executor;
    auto initiate = [this, seen, executor](auto handler) {
      Waiter waiter{asio::prefer(executor, asio::execution::outstanding_work.tracked),
                    std::move(handler)};
      {
        std::lock_guard lock(mutex_);
        if (version_ == seen) {
          waiters_.push_back(std::move(waiter));
          return;
        }
      }
      resume(std::move(waiter));
    };
    co_await asio::async_initiate<const asio::use_awaitable_t<Executor>, void()>(
        initiate, asio::use_awaitable_t<Executor>{});
  }

 private:
  // Counts as work, so that a drain waits for whoever waits here.
  using Tracked =
      decltype(asio::prefer(std::declval<Executor>(), asio::execution::outstanding_work.tracked));
  struct Waiter {
    Tracked executor;
    asio::any_completion_handler<void()> handler;
  };
  static void resume(Waiter waiter) {
    auto executor = waiter.executor;
    asio::post(executor, std::move(waiter.handler));
  }

  mutable std::mutex mutex_;
  std::uint64_t version_ = 0;
  std::vector<Waiter> waiters_;
};

}  // namespace relay::net
