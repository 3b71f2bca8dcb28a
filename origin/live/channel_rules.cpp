#include "origin/live/channel_rules.hpp"

#include <boost/json.hpp>

namespace relay::origin::live {

namespace json = boost::json;

namespace {

constexpr const char* busy_names[] = {"refuse", "replace"};

template <class Value, class Known>
bool differs(const std::optional<Value>& wish, const Known& known) {
  return wish && *wish != known;
}

template <class Value>
void take(const json::object& object, std::string_view key, std::optional<Value>& into) {
  if (const json::value* value = object.if_contains(key))
    into = Value(value->to_number<std::int64_t>());
}

json::object object_of(const WindowMark& window) {
  return {{"dvr_ms", window.dvr.count()},
          {"dvr_bytes_max", window.dvr_size_max},
          {"first", window.first}};
}

WindowMark window_of(const json::object& object) {
  return {std::chrono::milliseconds(object.at("dvr_ms").to_number<std::int64_t>()),
          object.at("dvr_bytes_max").to_number<std::uint64_t>(),
          object.at("first").to_number<std::int64_t>()};
}

}  // namespace

const char* name(BusySlot busy) {
  return busy_names[static_cast<std::size_t>(busy)];
}

std::optional<BusySlot> busy_slot_from(std::string_view text) {
  for (BusySlot each : {BusySlot::refuse, BusySlot::replace})
    if (text == name(each)) return each;
  return std::nullopt;
}

media::LiveChannel constants_of(const ChannelWishes& wishes, const LiveSettings& settings,
                                std::int64_t epoch_ms) {
  media::LiveChannel channel;
  channel.epoch_ms = epoch_ms;
  channel.part_target_ms = wishes.part.value_or(settings.part).count();
  channel.group_ms = wishes.group.value_or(settings.group).count();
  channel.segment_ms = wishes.segment.value_or(settings.segment).count();
  channel.rungs_max = wishes.rungs_max.value_or(0);
  channel.height_max = wishes.height_max.value_or(0);
  channel.between = wishes.between.value_or(*media::between_from(settings.between));
  channel.return_to_primary = wishes.return_to_primary.value_or(settings.return_to_primary);
  return channel;
}

std::string changed_constant(const ChannelWishes& wishes, const media::LiveChannel& constants) {
  using std::chrono::milliseconds;
  if (differs(wishes.part, milliseconds(constants.part_target_ms))) return "part";
  if (differs(wishes.group, milliseconds(constants.group_ms))) return "group";
  if (differs(wishes.segment, milliseconds(constants.segment_ms))) return "segment";
  if (differs(wishes.rungs_max, constants.rungs_max)) return "rungs_max";
  if (differs(wishes.height_max, constants.height_max)) return "height_max";
  if (differs(wishes.between, constants.between)) return "between";
  if (differs(wishes.return_to_primary, constants.return_to_primary)) return "return_to_primary";
  return "";
}

ChannelRules merged(ChannelRules rules, const ChannelRules& wishes) {
  if (wishes.dvr) rules.dvr = wishes.dvr;
  if (wishes.dvr_size_max) rules.dvr_size_max = wishes.dvr_size_max;
  if (wishes.busy_slot) rules.busy_slot = wishes.busy_slot;
  return rules;
}

ChannelRules in_force(const ChannelRules& rules, const LiveSettings& settings) {
  return merged({settings.dvr, settings.dvr_size_max, busy_slot_from(settings.busy_slot)}, rules);
}

std::string to_json(const ChannelRules& rules, const std::optional<WindowMark>& window) {
  json::object object;
  if (rules.dvr) object["dvr_ms"] = rules.dvr->count();
  if (rules.dvr_size_max) object["dvr_bytes_max"] = *rules.dvr_size_max;
  if (rules.busy_slot) object["busy_slot"] = name(*rules.busy_slot);
  if (window) object["window"] = object_of(*window);
  return json::serialize(object);
}

Result<KeptRules> channel_rules_from_json(std::string_view text) {
  try {
    const json::object object = json::parse(text).as_object();
    KeptRules kept;
    ChannelRules& rules = kept.rules;
    take(object, "dvr_ms", rules.dvr);
    take(object, "dvr_bytes_max", rules.dvr_size_max);
    if (const json::value* busy = object.if_contains("busy_slot"))
      rules.busy_slot = busy_slot_from(busy->as_string());
    if (const json::value* window = object.if_contains("window"))
      kept.window = window_of(window->as_object());
    return kept;
  } catch (const std::exception&) {
    return fail(ErrorKind::corrupt, ErrorSource::disk, "the catalog holds a broken channel");
  }
}

}  // namespace relay::origin::live
