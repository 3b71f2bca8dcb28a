#include "common/http/syntax.hpp"

#include "common/http/message.hpp"

namespace relay::http {

bool is_token(std::string_view text) {
  for (char c : text) {
    if (!is_token_byte(c)) return false;
  }
  return !text.empty();
}

std::optional<std::uint64_t> read_decimal(std::string_view digits) {
  constexpr std::uint64_t most = INT64_MAX;
  if (digits.empty()) return std::nullopt;
  std::uint64_t value = 0;
  for (char c : digits) {
    if (!is_digit(c)) return std::nullopt;
    auto digit = static_cast<std::uint64_t>(c - '0');
    if (value > (most - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  return value;
}

namespace {

std::size_t element_length(std::string_view text, char separator) {
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quoted && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (text[i] == separator && !quoted) {
      return i;
    }
  }
  return text.size();
}

}  // namespace

std::optional<std::string_view> next_element(std::string_view& rest, char separator) {
  while (!rest.empty()) {
    std::size_t length = element_length(rest, separator);
    std::string_view element = trim(rest.substr(0, length));
    rest.remove_prefix(length < rest.size() ? length + 1 : length);
    if (!element.empty()) return element;
  }
  return std::nullopt;
}

bool has_element(std::string_view list, std::string_view element) {
  while (auto found = next_element(list)) {
    if (same_name(*found, element)) return true;
  }
  return false;
}

std::optional<std::string> unquote(std::string_view quoted) {
  if (quoted.size() < 2 || quoted.front() != '"' || quoted.back() != '"') return std::nullopt;
  quoted = quoted.substr(1, quoted.size() - 2);
  std::string text;
  text.reserve(quoted.size());
  for (std::size_t i = 0; i < quoted.size(); ++i) {
    if (quoted[i] == '"') return std::nullopt;
    if (quoted[i] == '\\' && ++i == quoted.size()) return std::nullopt;
    text.push_back(quoted[i]);
  }
  return text;
}

}  // namespace relay::http
