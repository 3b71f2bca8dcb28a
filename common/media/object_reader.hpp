// Reads members of a JSON object that the other program sent. For the readers of this room only.
// Pure.
#pragma once

#include <boost/json.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.hpp"

namespace relay::media {

namespace json = boost::json;

/// Of one object: the first wrong type is remembered and what follows is skipped.
class ObjectReader {
 public:
  ObjectReader(std::string_view what, const json::object& object) : what_(what), object_(object) {}

  void text(std::string_view key, std::string& into) {
    if (const json::value* value = member(key, "a text", &json::value::is_string))
      into = std::string(value->get_string());
  }
  void flag(std::string_view key, bool& into) {
    if (const json::value* value = member(key, "true or false", &json::value::is_bool))
      into = value->get_bool();
  }
  template <class Integer>
  void integer(std::string_view key, Integer& into) {
    const json::value* value = member(key, "a whole number", &json::value::is_number);
    if (value) assign_integer(key, *value, into);
  }
  void number(std::string_view key, double& into) {
    if (const json::value* value = member(key, "a number", &json::value::is_number))
      into = value->to_number<double>();
  }
  template <class Integer>
  void integers(std::string_view key, std::vector<Integer>& into) {
    const json::value* value = member(key, "a list", &json::value::is_array);
    if (!value) return;
    for (const json::value& item : value->get_array())
      assign_integer(key, item, into.emplace_back());
  }
  void texts(std::string_view key, std::vector<std::string>& into) {
    const json::array* items = list(key);
    if (!items) return;
    for (const json::value& item : *items) {
      if (!item.is_string()) return refuse(key, "a list of texts");
      into.emplace_back(item.get_string());
    }
  }
  const json::object* object(std::string_view key) {
    const json::value* value = member(key, "an object", &json::value::is_object);
    return value ? &value->get_object() : nullptr;
  }
  const json::array* list(std::string_view key) {
    const json::value* value = member(key, "a list", &json::value::is_array);
    return value ? &value->get_array() : nullptr;
  }
  void refuse(std::string_view key, std::string_view wanted) {
    if (!error_)
      error_ = std::string(what_) + ": '" + std::string(key) + "' must be " + std::string(wanted);
  }
  const std::optional<std::string>& error() const { return error_; }

 private:
  const json::value* member(std::string_view key, std::string_view wanted,
                            bool (json::value::*is_kind)() const noexcept) {
    const json::value* value = object_.if_contains(key);
    if (!value || error_) return nullptr;
    if ((value->*is_kind)()) return value;
    refuse(key, wanted);
    return nullptr;
  }
  template <class Integer>
  void assign_integer(std::string_view key, const json::value& value, Integer& into) {
    json::error_code ec;
    auto number = value.to_number<Integer>(ec);
    if (ec) return refuse(key, "a whole number");
    into = number;
  }

  std::string_view what_;
  const json::object& object_;
  std::optional<std::string> error_;
};

inline Result<json::object> object_from(std::string_view what, std::string_view text) {
  json::error_code ec;
  json::value value = json::parse(text, ec);
  if (ec) return bad_input(std::string(what) + ": not JSON: " + ec.message());
  if (!value.is_object()) return bad_input(std::string(what) + ": must be an object");
  return value.get_object();
}

}  // namespace relay::media
