// SHA-256 as text. Pure.
#pragma once

#include <string>
#include <string_view>

namespace relay::origin::intake {

/// 64 lower-case hexadecimal digits of the text's SHA-256.
std::string sha256_hex(std::string_view text);
/// Two lower-case digits a byte.
std::string hex(std::string_view bytes);

}  // namespace relay::origin::intake
