// Action Message Format 0 (Adobe, "AMF 0 specification", 2007), as far as RTMP commands need it.
// Pure. Input may be hostile: depth, members and sizes are bounded.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "common/base/error.hpp"

namespace relay::origin::live::rtmp {

struct AmfNull {};

/// A value; objects and ECMA arrays keep the order of their members.
struct Amf {
  using Object = std::vector<std::pair<std::string, Amf>>;
  std::variant<AmfNull, double, bool, std::string, Object> value;

  Amf() = default;
  Amf(double number) : value(number) {}
  Amf(std::string text) : value(std::move(text)) {}
  Amf(const char* text) : value(std::string(text)) {}
  Amf(Object members) : value(std::move(members)) {}

  /// Empty when it is no text; 0 when it is no number.
  std::string_view text() const;
  double number() const;
  /// The member of that name; nullptr when it is no object or has none.
  const Amf* member(std::string_view name) const;
};

inline constexpr std::size_t amf_depth_max = 8;
inline constexpr std::size_t amf_values_max = 512;  // in one message, nested ones included

/// All values of a message. What RTMP never sends (references, XML, typed objects) is an error;
/// dates and strict arrays become null. Errors: invalid.
Result<std::vector<Amf>> read_amf(std::string_view bytes);
std::string write_amf(const std::vector<Amf>& values);

}  // namespace relay::origin::live::rtmp
