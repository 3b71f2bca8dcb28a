// Where things stand in a JSON text (RFC 8259), and what exactly is wrong where it is none: a
// parser says "syntax error", a person wants to know which quote is missing. Pure.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace relay::origin {

inline constexpr std::size_t json_depth_max = 32;  // arrays and objects within each other

struct JsonMistake {
  std::size_t offset = 0;  // in bytes; the size of the text: its end
  std::string what;        // a clause: "expected ',' or '}' behind the member, found '"'"
};

/// A member of the outermost object.
struct JsonMember {
  std::string_view name;  // as it is written, with its quotes; a view into the text
  std::size_t name_at = 0, value_at = 0;
};

/// The members of the outermost object in their order, none when the text is another value; or the
/// first mistake. Takes time linear in the text and stack for json_depth_max values.
std::expected<std::vector<JsonMember>, JsonMistake> outline_json(std::string_view text);

/// "line 2, column 7" for people: both count from 1, columns in characters.
std::string place_in(std::string_view text, std::size_t offset);

}  // namespace relay::origin
