// Time, read in one place. Pure rooms take `now` as a value; only shells read the clock.
#pragma once

#include <chrono>

namespace relay {

using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;
using SteadyTime = std::chrono::steady_clock::time_point;

inline WallTime wall_now() {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}
inline SteadyTime steady_now() {
  return std::chrono::steady_clock::now();
}

}  // namespace relay
