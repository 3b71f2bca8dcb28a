#pragma once

#include <chrono>

#include "common/base/limits.hpp"

namespace relay::net {

/// How long a client's connection may say nothing between requests, or before the first one.
struct QuietWaits {
  std::chrono::milliseconds buffers = limits::buffers_kept;  // then it gives its buffers back
  std::chrono::milliseconds connection = limits::idle_wait;  // then it is closed
};

}  // namespace relay::net
