// Text that came compressed (RFC 1952). Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace relay::edge::hls {

/// nullopt: not whole and right gzip, or more than `bytes_max` when unpacked (never more memory
/// than that, whatever it says of itself).
std::optional<std::string> gunzip(std::string_view packed, std::size_t bytes_max);

}  // namespace relay::edge::hls
