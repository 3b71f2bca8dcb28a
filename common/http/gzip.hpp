// Text compressed for the wire, and back (RFC 1952). Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace relay::http {

/// Without time or name in its header: the same text always gives the same bytes.
std::string gzip(std::string_view text);

/// nullopt: not whole and right gzip, or more than `bytes_max` when unpacked (never more memory
/// than that, whatever it says of itself).
std::optional<std::string> gunzip(std::string_view packed, std::size_t bytes_max);

}  // namespace relay::http
