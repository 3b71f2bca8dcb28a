// The small grammar that all of HTTP shares (RFC 9110 5.6): tokens, white space, lists, quoted
// strings, decimal numbers. Pure; nothing here allocates except unquote().
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace relay::http {

namespace detail {
inline constexpr std::array<bool, 256> token_bytes = [] {
  std::array<bool, 256> table{};
  for (char c : std::string_view("!#$%&'*+-.^_`|~0123456789"))
    table[static_cast<unsigned char>(c)] = true;
  for (int c = 'a'; c <= 'z'; ++c) table[c] = table[c - 'a' + 'A'] = true;
  return table;
}();
}  // namespace detail

/// tchar of RFC 9110 5.6.2.
constexpr bool is_token_byte(char c) {
  return detail::token_bytes[static_cast<unsigned char>(c)];
}
constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_space(char c) {
  return c == ' ' || c == '\t';
}
constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

/// The value of a hexadecimal digit of either case; -1 for anything else.
constexpr int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  char folded = lower(c);
  return folded >= 'a' && folded <= 'f' ? folded - 'a' + 10 : -1;
}

/// Not empty and all of it token bytes.
bool is_token(std::string_view text);

/// Without spaces and tabs around it.
constexpr std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

/// Digits only, at least one; nullopt also when it does not fit 63 bits.
std::optional<std::uint64_t> read_decimal(std::string_view digits);

/// Takes the next element of a comma-separated list off `rest`, trimmed; commas inside of quoted
/// strings do not separate. Empty elements are skipped (RFC 9110 5.6.1.2); nullopt at the end.
std::optional<std::string_view> next_element(std::string_view& rest, char separator = ',');

/// Whether the list has that element, without regard to case.
bool has_element(std::string_view list, std::string_view element);

/// `"a\"b"` becomes `a"b`; text that is no whole quoted string is nullopt.
std::optional<std::string> unquote(std::string_view quoted);

}  // namespace relay::http
