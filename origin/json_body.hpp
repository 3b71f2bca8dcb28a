// JSON that a broadcaster sends: read strictly, and every error says where it is. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.hpp"
#include "origin/json_object.hpp"
#include "origin/live/channel_rules.hpp"

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
/// The same members of an object that has others too.
Result<Labels> labels_of(const JsonObject& body);

/// What PUT channels/{asset} takes.
struct ChannelBody {
  Labels labels;
  live::ChannelWishes wishes;
};

/// The members of Labels, and what a channel may have for itself, spelled as in the settings:
/// {"part": "250ms", "group": "1s", "segment": "2s", "rungs_max": 2, "height_max": 720,
/// "dvr": "30m", "dvr_size_max": "8GiB", "between": "slate", "busy_slot": "replace",
/// "return_to_primary": false}. `settings` stand for what is not there.
Result<ChannelBody> read_channel(std::string_view text, const live::LiveSettings& settings);

}  // namespace relay::origin
