// A coroutine on another worker's thread, awaited from this one.
#pragma once

#include <utility>

#include "common/net/task.hpp"

namespace relay::net {

/// Runs the task on `io` and returns its result on the caller's thread. Name the task before the
/// line with co_await; what it refers to must outlive it, as in every coroutine.
template <class T>
Task<T> run_on(asio::io_context& io, Task<T> task) {
  co_return co_await asio::co_spawn(io.get_executor(), std::move(task),
                                    asio::use_awaitable_t<Executor>{});
}

}  // namespace relay::net
