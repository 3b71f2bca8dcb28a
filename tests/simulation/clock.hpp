// Virtual time, in nanoseconds since the beginning of a history.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>

namespace relay::simulation {

using Time = std::chrono::nanoseconds;
inline constexpr Time never = Time::max();

/// What the clocks show when a history begins: the steady one some hours after its machine's start,
/// that of the wall a day in 2026.
inline constexpr Time steady_begin = std::chrono::hours(5);
inline constexpr Time wall_begin = std::chrono::seconds(1'780'000'000);

}  // namespace relay::simulation
