#include "common/http/json_text.hpp"

#include <fmt/format.h>

#include <boost/json/serialize.hpp>
#include <utility>

namespace relay::http {
namespace {

namespace json = boost::json;

void append(std::string& text, const json::value& value);

void append(std::string& text, const json::object& object) {
  text += '{';
  bool first = true;
  for (const auto& member : object) {
    if (!std::exchange(first, false)) text += ',';
    text.append(json::serialize(json::string(member.key()))).append(":");
    append(text, member.value());
  }
  text += '}';
}

void append(std::string& text, const json::array& array) {
  text += '[';
  bool first = true;
  for (const json::value& value : array) {
    if (!std::exchange(first, false)) text += ',';
    append(text, value);
  }
  text += ']';
}

void append(std::string& text, const json::value& value) {
  if (const json::object* object = value.if_object()) return append(text, *object);
  if (const json::array* array = value.if_array()) return append(text, *array);
  if (const double* number = value.if_double()) {
    std::string digits = fmt::format("{:.6f}", *number);  // ours are fractions, seconds, rates
    digits.erase(digits.find_last_not_of('0') + 1);
    if (digits.ends_with('.')) digits.pop_back();
    text += digits;
    return;
  }
  text += json::serialize(value);
}

}  // namespace

std::string json_text(const json::value& value) {
  std::string text;
  append(text, value);
  return text;
}

}  // namespace relay::http
