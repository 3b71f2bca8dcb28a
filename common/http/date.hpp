// HTTP dates (RFC 9110 5.6.7). Written in one form only; read in all three, strictly but for
// letter case. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace relay::http {

/// A moment as HTTP knows it.
using Seconds = std::chrono::seconds;
using DateTime = std::chrono::sys_seconds;

/// IMF-fixdate "Sun, 06 Nov 1994 08:49:37 GMT", RFC 850 "Sunday, 06-Nov-94 08:49:37 GMT" (years
/// 70 to 99 are 19xx) or asctime "Sun Nov  6 08:49:37 1994"; anything else is nullopt. The name
/// of the day must be one, but is not checked against the date.
std::optional<DateTime> read_date(std::string_view text);

/// IMF-fixdate: always 29 bytes. Years 0 to 9999.
std::string write_date(DateTime moment);

}  // namespace relay::http
