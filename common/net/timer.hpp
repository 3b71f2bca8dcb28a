// A timer of the steady clock on an io_context's thread.
#pragma once

#include <boost/asio/steady_timer.hpp>

#include <chrono>

#include "common/net/task.hpp"

namespace relay::net {

using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, Executor>;

}  // namespace relay::net
