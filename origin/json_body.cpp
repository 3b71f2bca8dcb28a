#include "origin/json_body.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <initializer_list>
#include <utility>

#include "common/base/quantity.hpp"
#include "common/http/url.hpp"

namespace relay::origin {
namespace {

namespace json = boost::json;

constexpr std::size_t title_bytes_max = 500;
constexpr std::size_t tag_bytes_max = 100;
constexpr std::size_t tags_max = 50;
constexpr std::size_t tags_bytes_max = 2000;  // they go out with every answer (cache_tags)

std::unexpected<Error> wrong_type(const JsonObject& body, std::string_view name,
                                  std::string_view needed) {
  return wrong_member(body, name, fmt::format("must be {}", needed));
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

Result<Labels> labels_of(const JsonObject& body) {
  Labels labels;
  if (const json::value* title = body.object.if_contains("title")) {
    if (!title->is_string()) return wrong_type(body, "title", "a string");
    labels.title = std::string(title->get_string());
    if (auto checked = check_title(*labels.title); !checked) {
      return std::unexpected(checked.error());
    }
  }
  if (const json::value* tags = body.object.if_contains("tags")) {
    const json::array* array = tags->if_array();
    bool texts = array && std::ranges::all_of(*array, &json::value::is_string);
    if (!texts) return wrong_type(body, "tags", "an array of strings");
    labels.tags.emplace();
    for (const json::value& tag : *array) labels.tags->emplace_back(tag.get_string());
    if (auto checked = check_tags(*labels.tags); !checked) return std::unexpected(checked.error());
  }
  return labels;
}

namespace {

/// Takes members of a channel one after another; the first mistake counts.
class ChannelReader {
 public:
  explicit ChannelReader(const JsonObject& body) : body_(body) {}

  void duration(const char* name, live::Bounds ms, std::optional<std::chrono::milliseconds>& into) {
    const json::string* text = text_of(name, "a duration like \"500ms\" or \"2h\"");
    if (!text) return;
    auto value = duration_from_text(*text);
    bool fits = value && value->count() >= ms.least && value->count() <= ms.most;
    if (fits) into = *value;
    if (fits) return;
    std::string least = duration_to_text(std::chrono::milliseconds(ms.least));
    std::string most = duration_to_text(std::chrono::milliseconds(ms.most));
    refuse(name, fmt::format("a duration from {} to {}", least, most));
  }
  void bytes(const char* name, std::int64_t least, std::optional<std::uint64_t>& into) {
    const json::string* text = text_of(name, "a size like \"8GiB\"");
    if (!text) return;
    auto value = bytes_from_text(*text);
    if (value && *value >= least)
      into = static_cast<std::uint64_t>(*value);
    else
      refuse(name, fmt::format("a size of at least {}", bytes_to_text(least)));
  }
  void count(const char* name, live::Bounds bounds, std::optional<std::int64_t>& into) {
    const json::value* value = body_.object.if_contains(name);
    if (!value || error_) return;
    boost::system::error_code ec;
    auto number = value->is_number() ? value->to_number<std::int64_t>(ec) : -1;
    if (!ec && number >= bounds.least && number <= bounds.most)
      into = number;
    else
      refuse(name, fmt::format("a whole number from {} to {}", bounds.least, bounds.most));
  }
  void flag(const char* name, std::optional<bool>& into) {
    const json::value* value = body_.object.if_contains(name);
    if (!value || error_) return;
    if (value->is_bool())
      into = value->get_bool();
    else
      refuse(name, "true or false");
  }
  template <class Choice>
  void choice(const char* name, std::initializer_list<std::pair<std::string_view, Choice>> choices,
              std::optional<Choice>& into) {
    std::string words;
    for (const auto& [word, value] : choices)
      words += fmt::format("{}\"{}\"", words.empty() ? "" : " or ", word);
    const json::string* text = text_of(name, words);
    if (!text) return;
    for (const auto& [word, value] : choices)
      if (*text == word) into = value;
    if (!into) refuse(name, words);
  }
  void refuse(std::string_view name, std::string_view needed) {
    if (!error_) error_ = wrong_type(body_, name, needed).error();
  }
  bool has(std::string_view name) const { return body_.object.contains(name); }
  const std::optional<Error>& error() const { return error_; }

 private:
  const json::string* text_of(std::string_view name, std::string_view needed) {
    const json::value* value = body_.object.if_contains(name);
    if (!value || error_) return nullptr;
    if (!value->is_string()) refuse(name, needed);
    return value->if_string();
  }

  const JsonObject& body_;
  std::optional<Error> error_;
};

void read_grid(ChannelReader& reader, const live::LiveSettings& settings,
               live::ChannelWishes& into) {
  reader.duration("part", live::part_ms_bounds, into.part);
  reader.duration("group", live::group_ms_bounds, into.group);
  reader.duration("segment", live::segment_ms_bounds, into.segment);
  if (reader.error()) return;
  auto part = into.part.value_or(settings.part), group = into.group.value_or(settings.group);
  auto segment = into.segment.value_or(settings.segment);
  // The place is that of a member that was sent.
  if (part > group)
    reader.refuse(reader.has("part") ? "part" : "group",
                  fmt::format("such that part ({}) is not above group ({})", duration_to_text(part),
                              duration_to_text(group)));
  bool was_sent = reader.has("segment") || reader.has("group");
  if (was_sent && segment % group != std::chrono::milliseconds(0))
    reader.refuse(reader.has("segment") ? "segment" : "group",
                  fmt::format("such that segment ({}) is a multiple of group ({})",
                              duration_to_text(segment), duration_to_text(group)));
}

}  // namespace

Result<Labels> read_labels(std::string_view text) {
  auto body =
      read_json_object(text, {"title", "tags"}, R"({"title": "The final", "tags": ["100m"]})");
  if (!body) return std::unexpected(body.error());
  return labels_of(*body);
}

Result<ChannelBody> read_channel(std::string_view text, const live::LiveSettings& settings) {
  if (text.empty()) return ChannelBody{};
  auto body =
      read_json_object(text,
                       {"title", "tags", "part", "group", "segment", "rungs_max", "height_max",
                        "dvr", "dvr_size_max", "between", "busy_slot", "return_to_primary"},
                       R"({"title": "The final", "dvr": "30m"})");
  if (!body) return std::unexpected(body.error());
  auto labels = labels_of(*body);
  if (!labels) return std::unexpected(labels.error());
  ChannelBody channel{std::move(*labels), {}};
  live::ChannelWishes& wishes = channel.wishes;
  ChannelReader reader(*body);
  read_grid(reader, settings, wishes);
  reader.count("rungs_max", live::rungs_bounds, wishes.rungs_max);
  reader.count("height_max", live::height_bounds, wishes.height_max);
  reader.duration("dvr", live::dvr_ms_bounds, wishes.rules.dvr);
  reader.bytes("dvr_size_max", live::dvr_bytes_least, wishes.rules.dvr_size_max);
  reader.choice<media::Between>(
      "between", {{"gap", media::Between::gap}, {"slate", media::Between::slate}}, wishes.between);
  reader.choice<live::BusySlot>(
      "busy_slot", {{"refuse", live::BusySlot::refuse}, {"replace", live::BusySlot::replace}},
      wishes.rules.busy_slot);
  reader.flag("return_to_primary", wishes.return_to_primary);
  if (reader.error()) return std::unexpected(*reader.error());
  return channel;
}

}  // namespace relay::origin
