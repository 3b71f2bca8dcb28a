// Blocking work (LMDB commits, fsync, a cold page) on a small pool; the coroutine resumes at home.
#pragma once

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>

#include "common/net/task.hpp"

namespace relay::net {

class Blocking {
 public:
  explicit Blocking(unsigned threads) : pool_(threads) {}
  ~Blocking() { pool_.join(); }
  asio::thread_pool& pool() { return pool_; }

 private:
  asio::thread_pool pool_;
};

/// Runs `job` (returning a value, no exceptions expected) on the pool and returns its result on
/// the caller's thread. Name the job before the line with co_await:
///   auto job = [&] { return store.put(...); };
///   auto stored = co_await run_blocking(pool, job);
template <class Job>
Task<std::invoke_result_t<Job&>> run_blocking(Blocking& blocking, Job& job) {
  using Value = std::invoke_result_t<Job&>;
  auto executor = co_await asio::this_coro::executor;
  std::optional<Value> result;
  auto initiate = [&](auto handler) {
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    auto work = asio::prefer(executor, asio::execution::outstanding_work.tracked);
    asio::post(blocking.pool(), [&job, &result, shared, work] {
      result.emplace(job());
      asio::post(work, [shared] { std::move (*shared)(); });
    });
  };
  co_await asio::async_initiate<const asio::use_awaitable_t<Executor>, void()>(
      initiate, asio::use_awaitable_t<Executor>{});
  co_return std::move(*result);
}

}  // namespace relay::net
