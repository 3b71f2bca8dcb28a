#include "origin/intake/sha256.hpp"

#include "common/http/sha.hpp"

namespace relay::origin::intake {

std::string hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (unsigned char byte : bytes) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

std::string sha256_hex(std::string_view text) {
  http::ShaStream sha(http::Sha::sha256);
  sha.update(text);
  return hex(sha.finish());
}

}  // namespace relay::origin::intake
