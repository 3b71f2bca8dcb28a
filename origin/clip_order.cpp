#include "origin/clip_order.hpp"

#include <boost/json.hpp>
#include <cmath>
#include <utility>

#include "common/media/date.hpp"
#include "common/media/media_path.hpp"

namespace relay::origin {
namespace {

namespace json = boost::json;

constexpr double seconds_max = 1e9;
constexpr const char* example =
    R"({"from": "final", "start": "2026-11-24T10:00:00Z", "end": "2026-11-24T10:00:12.5Z"})";

Result<std::optional<clip::Moment>> moment_of(const JsonObject& body, std::string_view name) {
  const json::value* value = body.object.if_contains(name);
  if (!value) return std::nullopt;
  if (value->is_number()) {
    double seconds = value->to_number<double>();
    if (!(seconds >= 0 && seconds <= seconds_max))
      return wrong_member(body, name, "must be 0 or more seconds");
    return clip::Moment{false, std::llround(seconds * 1e6)};
  }
  const json::string* text = value->if_string();
  auto unix_us = text ? media::read_date(*text) : std::nullopt;
  if (unix_us) return clip::Moment{true, *unix_us};
  return wrong_member(body, name,
                      "must be seconds from the source's beginning, like 12.5, or a moment, like "
                      "\"2026-11-24T10:00:12.5Z\"");
}

Result<bool> flag_of(const JsonObject& body, std::string_view name) {
  const json::value* value = body.object.if_contains(name);
  if (!value) return false;
  if (!value->is_bool()) return wrong_member(body, name, "must be true or false");
  return value->get_bool();
}

Result<std::string> from_of(const JsonObject& body) {
  const json::value* value = body.object.if_contains("from");
  if (!value) return bad_input("member 'from' is missing: the video, channel or clip to clip from");
  if (!value->is_string()) return wrong_member(body, "from", "must be the name of an asset");
  std::string from(value->get_string());
  if (auto named = media::check_name("asset", from); !named) return std::unexpected(named.error());
  return from;
}

}  // namespace

Result<ClipOrder> read_clip_order(std::string_view text) {
  auto body =
      read_json_object(text, {"from", "start", "end", "title", "tags", "gaps", "exact"}, example);
  if (!body) return std::unexpected(body.error());
  auto from = from_of(*body);
  if (!from) return std::unexpected(from.error());
  auto start = moment_of(*body, "start");
  if (!start) return std::unexpected(start.error());
  auto end = moment_of(*body, "end");
  if (!end) return std::unexpected(end.error());
  auto gaps = flag_of(*body, "gaps");
  if (!gaps) return std::unexpected(gaps.error());
  auto exact = flag_of(*body, "exact");
  if (!exact) return std::unexpected(exact.error());
  auto labels = labels_of(*body);
  if (!labels) return std::unexpected(labels.error());
  return ClipOrder{std::move(*from), {*start, *end, *gaps}, std::move(*labels), *exact};
}

}  // namespace relay::origin
