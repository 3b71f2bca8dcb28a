// Quantities as people write them in settings and messages: "2GiB", "250ms". Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace relay {

/// A whole number and a unit: B, KB, MB, GB, TB (powers of 1000), KiB, MiB, GiB, TiB (of 1024).
/// nullopt: something else, or more than 2^63 - 1 bytes.
std::optional<std::int64_t> bytes_from_text(std::string_view text);
/// A whole number and a unit: ms, s, m, h, d. nullopt: something else, or too large to count.
std::optional<std::chrono::milliseconds> duration_from_text(std::string_view text);

/// In the largest unit that is exact: 2147483648 is "2GiB", 1001 is "1001B".
std::string bytes_to_text(std::int64_t bytes);
std::string duration_to_text(std::chrono::milliseconds duration);

}  // namespace relay
