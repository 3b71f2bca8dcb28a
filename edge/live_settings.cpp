#include "edge/live_settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/base/quantity.hpp"

namespace relay::edge {
namespace {

/// Texts and durations stand in quotes there, and none has any inside.
std::string without_quotes(std::string value) {
  std::erase(value, '"');
  return value;
}

std::string keys_text() {
  std::string text;
  for (const KeyDoc& doc : document_settings<LiveSettings>(describe_live)) {
    text += (text.empty() ? "" : ", ") + doc.key;
  }
  return text;
}

}  // namespace

void describe_live(Schema& schema, LiveSettings& into) {
  schema.text("log.level", into.log_level, "the least important line that is written",
              {"debug", "info", "warn", "error"});
  schema.text("log.format", into.log_format, "key=value text or JSON", {"text", "json"});
  schema.duration("cache.stale_on_error", into.stale_on_error,
                  "how long a stale copy may stand in while upstream fails, if it does not say");
  schema.count("cache.prefetch", into.prefetch_segments,
               "segments fetched ahead of a viewer who goes through an HLS playlist; 0: none",
               {0, 16});
  schema.duration("fleet.probe_interval", into.probe_interval,
                  "how often an edge that is down is looked after", {10, 3'600'000});
  schema.duration("fleet.slow_start", into.slow_start,
                  "from an edge's return to its full share of the keys", {0, 3'600'000});
  schema.duration("fleet.handover", into.handover,
                  "how long a key's earlier owner is asked for it before the origin",
                  {0, 604'800'000});
}

Result<LiveSettings> with_fleet_settings(LiveSettings own, std::string_view text,
                                         std::string_view source) {
  if (text.size() > fleet_settings_bytes_max) {
    return bad_input(
        fmt::format("{}: is larger than {}", source, bytes_to_text(fleet_settings_bytes_max)));
  }
  auto both = parse_settings<LiveSettings>(text, std::string(source), describe_live, own);
  if (both) return both;
  return bad_input(both.error().message + " (for a whole fleet: " + keys_text() + ")");
}

std::vector<LiveSetting> list(const LiveSettings& own, std::string_view text) {
  std::vector<LiveSetting> all;
  LiveSettings in_force = with_fleet_settings(own, text).value_or(own);
  for (const KeyDoc& doc : document_settings<LiveSettings>(describe_live, in_force)) {
    all.push_back({doc.key, without_quotes(doc.default_value)});
  }
  auto mark = [&](Schema& schema) {
    LiveSettings ignored;
    describe_live(schema, ignored);
    for (LiveSetting& each : all) each.from_fleet = schema.has(each.key);
  };
  (void)detail::parse_settings(text, "", mark);
  return all;
}

}  // namespace relay::edge
