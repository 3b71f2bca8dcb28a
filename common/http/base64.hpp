// Base64 with the standard alphabet (RFC 4648 4): Structured Fields, digests, tus metadata. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace relay::http {

/// nullopt for bytes outside of the alphabet or an impossible length. Padding may be missing.
std::optional<std::string> decode_base64(std::string_view text);

/// With padding.
void append_base64(std::string& into, std::string_view data);

}  // namespace relay::http
