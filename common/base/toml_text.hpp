// Values as TOML writes them, for messages and for the reference of settings. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace relay {

/// A basic string; control characters are escaped, so it is safe to print.
std::string quoted(std::string_view text);
/// "a", "b"
std::string quoted_list(const std::vector<std::string>& texts);
/// With a point or an exponent, so that it reads back as a floating-point number.
std::string number_text(double value);

}  // namespace relay
