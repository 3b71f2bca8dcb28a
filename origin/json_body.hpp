// JSON that a broadcaster sends: read strictly, and every error says where it is. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.hpp"

namespace relay::origin {

/// A title or a tag must be UTF-8, without control bytes, and of a sensible length.
Result<void> check_title(std::string_view title);
Result<void> check_tags(const std::vector<std::string>& tags);

/// Members of a metadata change; absent: keep.
struct Labels {
  std::optional<std::string> title;
  std::optional<std::vector<std::string>> tags;
};

/// {"title": "…", "tags": ["…"]}, both optional, nothing else. What is wrong with the JSON is said
/// with its line and column.
Result<Labels> read_labels(std::string_view text);

}  // namespace relay::origin
