// A JSON object that a client sent, read strictly: no member that is not known, none twice, and
// every error says where it is. Pure.
#pragma once

#include <boost/json/object.hpp>

#include <initializer_list>
#include <string_view>
#include <vector>

#include "common/base/error.hpp"
#include "origin/json_outline.hpp"

namespace relay::origin {

/// An object as it was sent, and where its members stand. Views into the text.
struct JsonObject {
  boost::json::object object;
  std::string_view text;
  std::vector<JsonMember> members;
};

/// `example` is shown when nothing was sent.
Result<JsonObject> read_json_object(std::string_view text,
                                    std::initializer_list<std::string_view> allowed,
                                    std::string_view example);

/// "line 1, column 8: member 'title' must be a string"; the member must be there.
std::unexpected<Error> wrong_member(const JsonObject& body, std::string_view name,
                                    std::string_view what);

}  // namespace relay::origin
