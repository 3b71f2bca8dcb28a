#include "origin/json_body.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json.hpp>

namespace relay::origin {
namespace {

namespace json = boost::json;

constexpr std::size_t title_bytes_max = 500;
constexpr std::size_t tag_bytes_max = 100;
constexpr std::size_t tags_max = 50;

std::string place_of(std::string_view text, std::size_t offset) {
  std::string_view before = text.substr(0, offset);
  auto line = std::ranges::count(before, '\n') + 1;
  std::size_t column = before.size() - (before.rfind('\n') + 1) + 1;  // npos + 1 is 0
  return fmt::format("line {}, column {}", line, column);
}

Result<json::value> parse(std::string_view text) {
  json::stream_parser parser;
  boost::system::error_code ec;
  std::size_t read = parser.write_some(text.data(), text.size(), ec);
  std::string_view rest = text.substr(read);
  std::size_t extra = rest.find_first_not_of(" \t\r\n");
  if (!ec && extra != rest.npos) {
    return bad_input("the JSON goes on after its end at " + place_of(text, read + extra));
  }
  if (!ec) parser.finish(ec);
  if (ec) {
    return bad_input(
        fmt::format("the body is not JSON at {}: {}", place_of(text, read), ec.message()));
  }
  return parser.release();
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

Result<json::object> read_json_object(std::string_view text,
                                      std::initializer_list<std::string_view> allowed) {
  auto value = parse(text);
  if (!value) return std::unexpected(value.error());
  if (!value->is_object()) return bad_input("the body must be a JSON object");
  for (const auto& member : value->get_object()) {
    if (std::ranges::find(allowed, std::string_view(member.key())) != allowed.end()) continue;
    return bad_input(fmt::format("unknown member '{}'; allowed are {}",
                                 std::string_view(member.key()), fmt::join(allowed, ", ")));
  }
  return std::move(value->get_object());
}

Result<void> check_title(std::string_view title) {
  return check_label("the title", title, title_bytes_max);
}

Result<void> check_tags(const std::vector<std::string>& tags) {
  if (tags.size() > tags_max) return bad_input(fmt::format("more than {} tags", tags_max));
  for (const std::string& tag : tags) {
    if (tag.empty()) return bad_input("a tag is empty");
    if (auto checked = check_label("a tag", tag, tag_bytes_max); !checked) return checked;
  }
  return {};
}

Result<Labels> read_labels(std::string_view text) {
  auto object = read_json_object(text, {"title", "tags"});
  if (!object) return std::unexpected(object.error());
  Labels labels;
  if (const json::value* title = object->if_contains("title")) {
    if (!title->is_string()) return bad_input("member 'title' must be a string");
    labels.title = std::string(title->get_string());
    if (auto checked = check_title(*labels.title); !checked) {
      return std::unexpected(checked.error());
    }
  }
  if (const json::value* tags = object->if_contains("tags")) {
    const json::array* array = tags->if_array();
    bool texts = array && std::ranges::all_of(*array, &json::value::is_string);
    if (!texts) return bad_input("member 'tags' must be an array of strings");
    labels.tags.emplace();
    for (const json::value& tag : *array) labels.tags->emplace_back(tag.get_string());
    if (auto checked = check_tags(*labels.tags); !checked) return std::unexpected(checked.error());
  }
  return labels;
}

}  // namespace relay::origin
