// Text compressed for the wire (RFC 1952). Pure: the same text always gives the same bytes.
#pragma once

#include <string>
#include <string_view>

namespace relay::origin {

std::string gzip(std::string_view text);

}  // namespace relay::origin
