// Which bytes may stand where in a Structured Field (RFC 8941 3): one place for reader and writer.
#pragma once

#include "common/http/syntax.hpp"

namespace relay::http::structured {

constexpr bool is_lower_letter(char c) {
  return c >= 'a' && c <= 'z';
}
constexpr bool is_letter(char c) {
  return is_lower_letter(lower(c));
}
constexpr bool is_key_start(char c) {
  return is_lower_letter(c) || c == '*';
}
constexpr bool is_key_byte(char c) {
  return is_key_start(c) || is_digit(c) || c == '_' || c == '-' || c == '.';
}
constexpr bool is_token_start(char c) {
  return is_letter(c) || c == '*';
}
constexpr bool is_token_rest(char c) {
  return is_token_byte(c) || c == ':' || c == '/';
}
constexpr bool is_printable(char c) {
  return c >= 0x20 && c < 0x7f;
}

// What RFC 8941 wants to be read at least is also the most: looking for repeated keys is quadratic.
inline constexpr std::size_t members_max = 1024;
inline constexpr std::size_t inner_items_max = 256;
inline constexpr std::size_t parameters_max = 256;
inline constexpr int integer_digits_max = 15;
inline constexpr int decimal_digits_max = 12;  // before the point

}  // namespace relay::http::structured
