#include "origin/json_body.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json.hpp>
#include <initializer_list>
#include <utility>

#include "common/http/url.hpp"
#include "origin/json_outline.hpp"

namespace relay::origin {
namespace {

namespace json = boost::json;

constexpr std::size_t title_bytes_max = 500;
constexpr std::size_t tag_bytes_max = 100;
constexpr std::size_t tags_max = 50;
constexpr std::size_t tags_bytes_max = 2000;  // they go out with every answer (cache_tags)

/// An object as it was sent, and where its members stand.
struct JsonBody {
  json::object object;
  std::string_view text;
  std::vector<JsonMember> members;
};

std::string name_of(const JsonMember& member) {
  return json::value_to<std::string>(json::parse(std::string(member.name)));
}

std::unexpected<Error> wrong_at(std::string_view text, std::size_t offset, std::string_view what) {
  return bad_input(fmt::format("{}: {}", place_in(text, offset), what));
}

/// `needed`: "a string".
std::unexpected<Error> wrong_type(const JsonBody& body, std::string_view name,
                                  std::string_view needed) {
  auto member = std::ranges::find(body.members, name, name_of);
  std::string what = fmt::format("member '{}' must be {}", name, needed);
  return wrong_at(body.text, member->value_at, what);
}

Result<void> check_members(const JsonBody& body, std::initializer_list<std::string_view> allowed) {
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

/// `example` is shown when nothing was sent.
Result<JsonBody> read_object(std::string_view text, std::initializer_list<std::string_view> allowed,
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
  JsonBody body{std::move(value.get_object()), text, std::move(*members)};
  if (auto checked = check_members(body, allowed); !checked) {
    return std::unexpected(checked.error());
  }
  return body;
}

/// By JSON's own rule for strings, which is the one that matters here.
bool is_utf8(std::string_view text) {
  std::string quoted = "\"";
  for (char c : text) quoted += c == '"' || c == '\\' ? '.' : c;
  boost::system::error_code ec;
  json::parse(quoted + "\"", ec);
  return !ec;
}

Result<void> check_label(std::string_view what, std::string_view text, std::size_t bytes_max) {
  if (text.size() > bytes_max) {
    return bad_input(fmt::format("{} is longer than {} bytes", what, bytes_max));
  }
  if (!is_utf8(text)) {
    return bad_input(fmt::format("{} is not UTF-8 text without control characters", what));
  }
  return {};
}

}  // namespace

Result<void> check_title(std::string_view title) {
  return check_label("the title", title, title_bytes_max);
}

Result<void> check_tags(const std::vector<std::string>& tags) {
  if (tags.size() > tags_max) return bad_input(fmt::format("more than {} tags", tags_max));
  std::size_t bytes = 0;
  for (const std::string& tag : tags) {
    if (tag.empty()) return bad_input("a tag is empty");
    if (auto checked = check_label("a tag", tag, tag_bytes_max); !checked) return checked;
    bytes += http::percent_encode(tag).size();
  }
  if (bytes > tags_bytes_max) {
    return bad_input(fmt::format("the tags, percent-encoded, are longer than {} bytes together",
                                 tags_bytes_max));
  }
  return {};
}

Result<Labels> read_labels(std::string_view text) {
  auto body = read_object(text, {"title", "tags"}, R"({"title": "The final", "tags": ["100m"]})");
  if (!body) return std::unexpected(body.error());
  Labels labels;
  if (const json::value* title = body->object.if_contains("title")) {
    if (!title->is_string()) return wrong_type(*body, "title", "a string");
    labels.title = std::string(title->get_string());
    if (auto checked = check_title(*labels.title); !checked) {
      return std::unexpected(checked.error());
    }
  }
  if (const json::value* tags = body->object.if_contains("tags")) {
    const json::array* array = tags->if_array();
    bool texts = array && std::ranges::all_of(*array, &json::value::is_string);
    if (!texts) return wrong_type(*body, "tags", "an array of strings");
    labels.tags.emplace();
    for (const json::value& tag : *array) labels.tags->emplace_back(tag.get_string());
    if (auto checked = check_tags(*labels.tags); !checked) return std::unexpected(checked.error());
  }
  return labels;
}

}  // namespace relay::origin
