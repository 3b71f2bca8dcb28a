// The coroutine type, the completion token and the one way to start a coroutine nobody awaits.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <utility>

namespace relay::net {

namespace asio = boost::asio;

using Executor = asio::io_context::executor_type;
template <class T>
using Task = asio::awaitable<T, Executor>;
/// `auto [ec, n] = co_await operation(..., use_result);`
inline constexpr auto use_result = asio::as_tuple(asio::use_awaitable_t<Executor>{});

/// Starts a coroutine that nobody waits for. An exception that escapes it is a bug: the program
/// ends and names it (noexcept turns it into std::terminate).
inline void spawn(asio::io_context& io, Task<void> task) {
  asio::co_spawn(io.get_executor(), std::move(task), [](std::exception_ptr error) noexcept {
    if (error) std::rethrow_exception(error);
  });
}

}  // namespace relay::net
