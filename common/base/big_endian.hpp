// Numbers as wire formats spell them. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace relay {

/// Of at most four bytes.
inline std::uint32_t big_endian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

inline std::uint32_t little_endian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (auto it = bytes.rbegin(); it != bytes.rend(); ++it)
    value = value << 8 | static_cast<unsigned char>(*it);
  return value;
}

inline void append_big_endian(std::string& into, std::uint32_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
    into += static_cast<char>(value >> shift & 0xff);
}

}  // namespace relay
