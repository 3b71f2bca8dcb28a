// JSON that a broadcaster sends: read strictly, and every error says where it is. Pure.
#pragma once

#include <boost/json/object.hpp>

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.hpp"

namespace relay::origin {

/// An object with no other members than `allowed`. Errors name line and column.
Result<boost::json::object> read_json_object(std::string_view text,
                                             std::initializer_list<std::string_view> allowed);

/// A title or a tag must be UTF-8, without control bytes, and of a sensible length.
Result<void> check_title(std::string_view title);
Result<void> check_tags(const std::vector<std::string>& tags);

/// Members of a metadata change; absent: keep.
struct Labels {
  std::optional<std::string> title;
  std::optional<std::vector<std::string>> tags;
};

/// {"title": "…", "tags": ["…"]}, both optional.
Result<Labels> read_labels(std::string_view text);

}  // namespace relay::origin
