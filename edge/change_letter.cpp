#include "edge/change_letter.hpp"

#include <boost/json.hpp>

#include <utility>

#include "common/media/media_path.hpp"

namespace relay::edge {

namespace json = boost::json;

std::string encode(const ChangeLetter& letter) {
  json::array keys;
  for (const std::string& key : letter.keys) keys.emplace_back(key);
  return json::serialize(json::object{{"from", letter.from}, {"keys", std::move(keys)}});
}

Result<ChangeLetter> decode_change_letter(std::string_view text) {
  boost::system::error_code error;
  json::value value = json::parse(text, error);
  if (error || !value.is_object()) return bad_input("a letter about changes is no JSON object");
  const json::value* from = value.get_object().if_contains("from");
  bool named = from && from->is_string() && media::check_name("member", from->get_string());
  if (!named) return bad_input("a letter about changes has no good \"from\"");
  const json::value* keys = value.get_object().if_contains("keys");
  if (!keys || !keys->is_array()) return bad_input("a letter about changes has no \"keys\"");
  ChangeLetter letter{std::string(from->get_string()), {}};
  for (const json::value& key : keys->get_array()) {
    if (!key.is_string()) return bad_input("a key in a letter about changes is no text");
    letter.keys.emplace_back(key.get_string());
  }
  return letter;
}

}  // namespace relay::edge
