// The attribute list of an HLS tag (RFC 8216bis 4.2): NAME=value,NAME="value". Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.hpp"

namespace relay::media {

/// Views into the text that was read; they live as long as it does.
class AttributeList {
 public:
  /// Errors: a rule of the grammar that is broken, or a name that stands twice.
  static Result<AttributeList> read(std::string_view text);

  /// The value between quotes; nullopt when there is no such attribute or it is not quoted.
  std::optional<std::string_view> quoted(std::string_view name) const;
  /// A bare value: a word, a number, a resolution.
  std::optional<std::string_view> word(std::string_view name) const;
  bool has(std::string_view name) const { return find(name) != nullptr; }

 private:
  struct Attribute {
    std::string_view name, value;
    bool is_quoted;
  };
  const Attribute* find(std::string_view name) const;
  std::vector<Attribute> attributes_;
};

/// A decimal integer of HLS: digits only, up to 2^63 - 1.
std::optional<std::int64_t> decimal_integer(std::string_view text);
/// A decimal number of HLS, "6" or "6.006", in millionths and rounded to the nearest;
/// nullopt for anything else and above 10^12.
std::optional<std::int64_t> decimal_millionths(std::string_view text);

}  // namespace relay::media
