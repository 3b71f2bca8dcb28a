// What one member tells the others of keys that a request may have changed, as JSON. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.hpp"

namespace relay::edge {

struct ChangeLetter {
  std::string from;               // the member that writes
  std::vector<std::string> keys;  // primary ones
  bool operator==(const ChangeLetter&) const = default;
};

/// Of the keys in one letter; and of the letter, in which each of their bytes may take two.
inline constexpr std::size_t change_keys_bytes_max = 64 << 10;
inline constexpr std::size_t change_letter_bytes_max = 256 << 10;

std::string encode(const ChangeLetter& letter);
/// Errors: invalid, saying what is wrong.
Result<ChangeLetter> decode_change_letter(std::string_view json);

}  // namespace relay::edge
