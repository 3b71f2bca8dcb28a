// Waiting in tests: until something holds, never for a fixed time.
#pragma once

#include <chrono>
#include <functional>
#include <thread>

namespace relay::tests {

/// Asks again and again; false when it did not hold within the deadline.
inline bool eventually(const std::function<bool()>& holds,
                       std::chrono::milliseconds within = std::chrono::seconds(10)) {
  auto deadline = std::chrono::steady_clock::now() + within;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace relay::tests
