#include "common/media/attribute_list.hpp"

#include <algorithm>
#include <charconv>

namespace relay::media {
namespace {

bool is_attribute_name_character(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_bare_character(char c) {
  return c > ' ' && c != '"' && c != ',' && c != 0x7f;
}

}  // namespace

Result<AttributeList> AttributeList::read(std::string_view text) {
  AttributeList list;
  while (true) {
    std::size_t equals = text.find('=');
    std::string_view name = text.substr(0, equals);
    if (equals == text.npos || name.empty() ||
        !std::ranges::all_of(name, is_attribute_name_character)) {
      return bad_input("an attribute is not written as NAME=value");
    }
    if (list.has(name)) return bad_input("attribute " + std::string(name) + " stands twice");
    text.remove_prefix(equals + 1);
    bool is_quoted = text.starts_with('"');
    if (is_quoted) text.remove_prefix(1);
    std::size_t end = is_quoted ? text.find('"') : std::min(text.find(','), text.size());
    if (end == text.npos) return bad_input("attribute " + std::string(name) + " lacks a quote");
    std::string_view value = text.substr(0, end);
    if (!is_quoted && (value.empty() || !std::ranges::all_of(value, is_bare_character))) {
      return bad_input("attribute " + std::string(name) + " has no proper value");
    }
    list.attributes_.push_back({name, value, is_quoted});
    text.remove_prefix(end + is_quoted);
    if (text.empty()) return list;
    if (text.front() != ',') return bad_input("a comma is missing behind " + std::string(name));
    text.remove_prefix(1);
  }
}

std::optional<std::string_view> AttributeList::quoted(std::string_view name) const {
  const Attribute* found = find(name);
  return found && found->is_quoted ? std::optional(found->value) : std::nullopt;
}

std::optional<std::string_view> AttributeList::word(std::string_view name) const {
  const Attribute* found = find(name);
  return found && !found->is_quoted ? std::optional(found->value) : std::nullopt;
}

const AttributeList::Attribute* AttributeList::find(std::string_view name) const {
  auto found = std::ranges::find(attributes_, name, &Attribute::name);
  return found == attributes_.end() ? nullptr : &*found;
}

std::optional<std::int64_t> decimal_integer(std::string_view text) {
  std::int64_t value = 0;
  if (text.empty() || !std::ranges::all_of(text, is_digit)) return std::nullopt;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() ? std::optional(value) : std::nullopt;
}

std::optional<std::int64_t> decimal_millionths(std::string_view text) {
  constexpr std::int64_t whole_max = 1'000'000'000'000;
  constexpr std::size_t places = 6;
  std::size_t dot = std::min(text.find('.'), text.size());
  auto whole = decimal_integer(text.substr(0, dot));
  if (!whole || *whole >= whole_max) return std::nullopt;
  std::string_view fraction = text.substr(std::min(dot + 1, text.size()));
  bool bare_dot = dot + 1 == text.size();
  if (bare_dot || !std::ranges::all_of(fraction, is_digit)) return std::nullopt;
  std::int64_t millionths = 0;
  for (std::size_t i = 0; i < places; ++i) {
    millionths = millionths * 10 + (i < fraction.size() ? fraction[i] - '0' : 0);
  }
  bool round_up = fraction.size() > places && fraction[places] >= '5';
  return *whole * 1'000'000 + millionths + round_up;
}

}  // namespace relay::media
