// Moments as text (RFC 3339), as playlists and the API spell them. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace relay::media {

inline constexpr std::int64_t us_per_s = 1'000'000;

/// Unix time in microseconds with milliseconds, rounded down: "2026-11-24T02:50:31.480Z".
std::string date_text(std::int64_t unix_us);

/// The same read back, with any offset ("+02:00") and up to nine digits of a second, of which six
/// count. nullopt: it is no RFC 3339 date and time, or before 1970.
std::optional<std::int64_t> read_date(std::string_view text);

}  // namespace relay::media
