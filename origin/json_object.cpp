#include "origin/json_object.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json.hpp>
#include <utility>

namespace relay::origin {
namespace {

namespace json = boost::json;

std::string name_of(const JsonMember& member) {
  return json::value_to<std::string>(json::parse(std::string(member.name)));
}

std::unexpected<Error> wrong_at(std::string_view text, std::size_t offset, std::string_view what) {
  return bad_input(fmt::format("{}: {}", place_in(text, offset), what));
}

Result<void> check_members(const JsonObject& body,
                           std::initializer_list<std::string_view> allowed) {
  std::vector<std::string> seen;
  for (const JsonMember& member : body.members) {
    std::string name = name_of(member);
    if (std::ranges::find(allowed, name) == allowed.end()) {
      return wrong_at(
          body.text, member.name_at,
          fmt::format("unknown member {}; allowed are {}", member.name, fmt::join(allowed, ", ")));
    }
    if (std::ranges::find(seen, name) != seen.end()) {
      return wrong_at(body.text, member.name_at, fmt::format("member '{}' is there twice", name));
    }
    seen.push_back(std::move(name));
  }
  return {};
}

}  // namespace

Result<JsonObject> read_json_object(std::string_view text,
                                    std::initializer_list<std::string_view> allowed,
                                    std::string_view example) {
  if (text.find_first_not_of(" \t\r\n") == text.npos) {
    return bad_input(fmt::format("the body is empty; expected JSON like {}", example));
  }
  auto members = outline_json(text);
  if (!members) {
    const auto& [offset, what] = members.error();
    return bad_input(fmt::format("the body is not JSON at {}: {}", place_in(text, offset), what));
  }
  boost::system::error_code ec;
  json::parse_options options;
  options.max_depth = json_depth_max;
  json::value value = json::parse(text, ec, {}, options);
  if (ec) return bad_input(fmt::format("the body is not JSON: {}", ec.message()));
  if (!value.is_object()) {
    std::size_t begin = text.find_first_not_of(" \t\r\n");
    return wrong_at(text, begin, fmt::format("the body must be a JSON object like {}", example));
  }
  JsonObject body{std::move(value.get_object()), text, std::move(*members)};
  if (auto checked = check_members(body, allowed); !checked) {
    return std::unexpected(checked.error());
  }
  return body;
}

std::unexpected<Error> wrong_member(const JsonObject& body, std::string_view name,
                                    std::string_view what) {
  auto member = std::ranges::find(body.members, name, name_of);
  return wrong_at(body.text, member->value_at, fmt::format("member '{}' {}", name, what));
}

}  // namespace relay::origin
