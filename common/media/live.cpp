#include "common/media/live.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "common/media/live_json.hpp"
#include "common/media/object_reader.hpp"

namespace relay::media {
namespace {

constexpr std::int64_t aac_frame_us = 1024 * us_per_s / 48000 + 1;

constexpr std::string_view state_names[] = {"absent", "starting", "ready", "frozen",
                                            "silent", "failed",   "lost"};

std::int64_t ceil_div(std::int64_t value, std::int64_t by) {
  return (value + by - 1) / by;
}

/// value × a / b without overflow in between, rounded to the nearest or down.
std::int64_t scaled(std::int64_t value, std::int64_t a, std::int64_t b, bool down = false) {
  auto wide = static_cast<__int128>(value) * a + (down ? 0 : b / 2);
  auto quotient = wide / b;
  if (wide < 0 && quotient * b != wide) --quotient;
  return static_cast<std::int64_t>(quotient);
}

json::object to_object(const LiveChannel& channel) {
  return {{"epoch_ms", channel.epoch_ms},     {"part_target_ms", channel.part_target_ms},
          {"group_ms", channel.group_ms},     {"segment_ms", channel.segment_ms},
          {"rungs_max", channel.rungs_max},   {"height_max", channel.height_max},
          {"between", name(channel.between)}, {"return_to_primary", channel.return_to_primary},
          {"hold_ms", channel.hold_ms}};
}

json::object to_object(const LiveRendition& rendition) {
  return {{"name", rendition.name},
          {"video", rendition.video},
          {"timescale", rendition.timescale},
          {"width", rendition.width},
          {"height", rendition.height},
          {"kbit_s", rendition.kbit_s},
          {"frame_step", rendition.frame_step}};
}

json::object to_object(const LiveSetup& setup) {
  json::array renditions;
  for (const LiveRendition& each : setup.renditions) renditions.push_back(to_object(each));
  return {{"rate_numerator", setup.rate_numerator},   {"rate_denominator", setup.rate_denominator},
          {"group_frames", setup.group_frames},       {"segment_frames", setup.segment_frames},
          {"parts_per_group", setup.parts_per_group}, {"renditions", std::move(renditions)},
          {"tile_width", setup.tile_width},           {"tile_height", setup.tile_height}};
}

json::object to_object(const SlotStatus& slot) {
  return {{"state", name(slot.state)}, {"error", slot.error},
          {"video", slot.video},       {"audio", slot.audio},
          {"delay_ms", slot.delay_ms}, {"dropped_frames", slot.dropped_frames},
          {"jumps", slot.jumps}};
}

LiveChannel read_channel(ObjectReader& reader) {
  LiveChannel channel;
  std::string between = "gap";
  reader.integer("epoch_ms", channel.epoch_ms);
  reader.integer("part_target_ms", channel.part_target_ms);
  reader.integer("group_ms", channel.group_ms);
  reader.integer("segment_ms", channel.segment_ms);
  reader.integer("rungs_max", channel.rungs_max);
  reader.integer("height_max", channel.height_max);
  reader.text("between", between);
  reader.flag("return_to_primary", channel.return_to_primary);
  reader.integer("hold_ms", channel.hold_ms);
  auto what = between_from(between);
  if (!what) reader.refuse("between", "\"gap\" or \"slate\"");
  if (channel.part_target_ms < 100) reader.refuse("part_target_ms", "at least 100");
  if (channel.group_ms < channel.part_target_ms)
    reader.refuse("group_ms", "at least part_target_ms");
  if (channel.segment_ms < channel.group_ms) reader.refuse("segment_ms", "at least group_ms");
  channel.between = what.value_or(Between::gap);
  return channel;
}

/// Whether no part is below 85 % of the part target (8216bis 4.4.4.9).
bool has_even_parts(const LiveSetup& setup) {
  std::int64_t shortest_us = setup.microseconds_of(setup.group_frames / setup.parts_per_group);
  return shortest_us * 100 >= setup.part_target_ms() * 1000 * 85;
}

/// The number nearest to `wanted` that makes even parts; `wanted` if there is none.
std::int64_t parts_of_group(LiveSetup setup, std::int64_t wanted, std::int64_t most) {
  for (std::int64_t away = 0; away < most; ++away) {
    for (std::int64_t parts : {wanted + away, wanted - away}) {
      if (parts < 1 || parts > most) continue;
      setup.parts_per_group = parts;
      if (has_even_parts(setup)) return parts;
    }
  }
  return wanted;
}

LiveRendition read_rendition(ObjectReader& reader) {
  LiveRendition rendition;
  reader.text("name", rendition.name);
  reader.flag("video", rendition.video);
  reader.integer("timescale", rendition.timescale);
  reader.integer("width", rendition.width);
  reader.integer("height", rendition.height);
  reader.integer("kbit_s", rendition.kbit_s);
  reader.integer("frame_step", rendition.frame_step);
  if (rendition.name.empty()) reader.refuse("name", "a name");
  if (rendition.timescale < 1) reader.refuse("timescale", "above 0");
  if (rendition.frame_step < 1) reader.refuse("frame_step", "above 0");
  return rendition;
}

LiveBegun read_begun(ObjectReader& reader) {
  LiveBegun begun;
  reader.text("rendition", begun.rendition);
  reader.integer("segment", begun.segment);
  reader.integer("part", begun.part);
  if (begun.segment < 0) reader.refuse("segment", "at least 0");
  if (begun.part < 0) reader.refuse("part", "at least 0");
  return begun;
}

void read_grid(ObjectReader& reader, LiveSetup& setup) {
  for (auto [key, into] : {std::pair{"rate_numerator", &setup.rate_numerator},
                           std::pair{"rate_denominator", &setup.rate_denominator},
                           std::pair{"group_frames", &setup.group_frames},
                           std::pair{"segment_frames", &setup.segment_frames},
                           std::pair{"parts_per_group", &setup.parts_per_group}}) {
    reader.integer(key, *into);
    if (*into < 1 || *into > 1'000'000) reader.refuse(key, "from 1 to 1,000,000");
  }
  if (setup.segment_frames % std::max<std::int64_t>(setup.group_frames, 1) != 0)
    reader.refuse("segment_frames", "a multiple of group_frames");
  if (setup.parts_per_group > setup.group_frames)
    reader.refuse("parts_per_group", "at most group_frames");
}

/// Each object of a list, given to `take(reader)`; the first error.
template <class Take>
Result<void> for_each(std::string_view what, const json::array* list, Take take) {
  if (!list) return {};
  for (const json::value& item : *list) {
    if (!item.is_object()) return bad_input(fmt::format("{}: must hold objects", what));
    ObjectReader reader(what, item.get_object());
    take(reader);
    if (reader.error()) return bad_input(*reader.error());
  }
  return {};
}

Result<LiveSetup> setup_from(const json::object& object) {
  LiveSetup setup;
  ObjectReader reader("setup", object);
  read_grid(reader, setup);
  reader.integer("tile_width", setup.tile_width);
  reader.integer("tile_height", setup.tile_height);
  const json::array* renditions = reader.list("renditions");
  if (!renditions || renditions->empty()) reader.refuse("renditions", "a list that is not empty");
  if (reader.error()) return bad_input(*reader.error());
  auto take = [&](ObjectReader& each) { setup.renditions.push_back(read_rendition(each)); };
  if (auto read = for_each("setup.renditions", renditions, take); !read)
    return std::unexpected(read.error());
  return setup;
}

SlotStatus read_slot(ObjectReader& reader) {
  SlotStatus slot;
  std::string state;
  reader.text("state", state);
  reader.text("error", slot.error);
  reader.text("video", slot.video);
  reader.text("audio", slot.audio);
  reader.integer("delay_ms", slot.delay_ms);
  reader.integer("dropped_frames", slot.dropped_frames);
  reader.integer("jumps", slot.jumps);
  auto found = std::ranges::find(state_names, state);
  if (found == std::end(state_names))
    reader.refuse("state", "a state of a slot");
  else
    slot.state = static_cast<SlotState>(found - std::begin(state_names));
  return slot;
}

}  // namespace

const char* name(Between between) {
  return between == Between::gap ? "gap" : "slate";
}

std::optional<Between> between_from(std::string_view text) {
  for (Between each : {Between::gap, Between::slate})
    if (text == name(each)) return each;
  return std::nullopt;
}

std::string segment_object(std::string_view rendition, std::int64_t number) {
  return fmt::format("{}/{}.{}", rendition, number, rendition == thumbnails_name ? "jpg" : "m4s");
}

std::optional<std::int64_t> number_in(std::string_view object) {
  object.remove_prefix(object.rfind('/') + 1);  // npos + 1 is 0
  std::int64_t number = 0;
  auto [end, ec] = std::from_chars(object.data(), object.data() + object.size(), number);
  bool is_whole = ec == std::errc() && end != object.data() + object.size() && *end == '.';
  if (!is_whole) return std::nullopt;
  return number;
}

const char* name(SlotState state) {
  return state_names[static_cast<std::size_t>(state)].data();
}

std::int64_t LiveSetup::part_frame(std::int64_t part) const {
  std::int64_t group = part / parts_per_group, within = part % parts_per_group;
  return group * group_frames + ceil_div(within * group_frames, parts_per_group);
}

std::int64_t LiveSetup::parts_per_segment() const {
  return segment_frames / group_frames * parts_per_group;
}

std::int64_t LiveSetup::target_duration_s() const {
  return ceil_div(microseconds_of(segment_frames), us_per_s);
}

std::int64_t LiveSetup::part_target_ms() const {
  std::int64_t longest = microseconds_of(ceil_div(group_frames, parts_per_group));
  return ceil_div(longest + aac_frame_us, 1000);
}

std::int64_t LiveSetup::microseconds_of(std::int64_t frame) const {
  return scaled(frame, rate_denominator * us_per_s, rate_numerator);
}

std::int64_t LiveSetup::frame_at(std::int64_t microseconds) const {
  // Rounded to microseconds a frame may begin half of one later than it truly does.
  std::int64_t frame = scaled(microseconds, rate_numerator, rate_denominator * us_per_s, true);
  while (microseconds_of(frame + 1) <= microseconds) ++frame;
  while (microseconds_of(frame) > microseconds) --frame;
  return frame;
}

LiveSetup live_grid(const LiveChannel& channel, std::int64_t rate_numerator,
                    std::int64_t rate_denominator, bool halving) {
  LiveSetup setup;
  setup.rate_numerator = rate_numerator;
  setup.rate_denominator = rate_denominator;
  std::int64_t step = halving ? 2 : 1;
  std::int64_t frames = scaled(channel.group_ms, rate_numerator, rate_denominator * 1000 * step);
  setup.group_frames = std::max<std::int64_t>(frames, 1) * step;
  setup.segment_frames =
      std::max<std::int64_t>(1, channel.segment_ms / channel.group_ms) * setup.group_frames;
  std::int64_t parts = scaled(channel.group_ms, 1, channel.part_target_ms);
  std::int64_t most = setup.group_frames / step;
  setup.parts_per_group = parts_of_group(setup, std::clamp<std::int64_t>(parts, 1, most), most);
  return setup;
}

json::object to_object(const LiveJob& job) {
  json::object object{{"channel", to_object(job.channel)}, {"first_segment", job.first_segment}};
  if (job.setup) object["setup"] = to_object(*job.setup);
  json::array begun;
  for (const LiveBegun& each : job.begun)
    begun.push_back(json::object{
        {"rendition", each.rendition}, {"segment", each.segment}, {"part", each.part}});
  object["begun"] = std::move(begun);
  return object;
}

Result<LiveJob> live_job_from(const json::object& object) {
  LiveJob job;
  ObjectReader reader("live", object);
  reader.integer("first_segment", job.first_segment);
  const json::object* channel = reader.object("channel");
  const json::object* setup = reader.object("setup");
  if (!channel) reader.refuse("channel", "an object");
  if (reader.error()) return bad_input(*reader.error());
  ObjectReader channel_reader("live.channel", *channel);
  job.channel = read_channel(channel_reader);
  if (channel_reader.error()) return bad_input(*channel_reader.error());
  auto take = [&](ObjectReader& each) { job.begun.push_back(read_begun(each)); };
  if (auto read = for_each("live.begun", reader.list("begun"), take); !read)
    return std::unexpected(read.error());
  if (!setup) return job;
  auto read = setup_from(*setup);
  if (!read) return std::unexpected(read.error());
  job.setup = std::move(*read);
  return job;
}

std::string to_json(const LiveSetup& setup) {
  return json::serialize(to_object(setup));
}

Result<LiveSetup> live_setup_from_json(std::string_view text) {
  auto object = object_from("setup", text);
  if (!object) return std::unexpected(object.error());
  return setup_from(*object);
}

std::string to_json(const LiveStatus& status) {
  json::array slots;
  for (const SlotStatus& slot : status.slots) slots.push_back(to_object(slot));
  return json::serialize(json::object{{"slots", std::move(slots)},
                                      {"on_air", status.on_air},
                                      {"switches", status.switches},
                                      {"shed", json::value_from(status.shed)},
                                      {"encode_delay_ms", status.encode_delay_ms}});
}

Result<LiveStatus> live_status_from_json(std::string_view text) {
  auto object = object_from("status", text);
  if (!object) return std::unexpected(object.error());
  LiveStatus status;
  ObjectReader reader("status", *object);
  reader.integer("on_air", status.on_air);
  reader.integer("switches", status.switches);
  reader.texts("shed", status.shed);
  reader.integer("encode_delay_ms", status.encode_delay_ms);
  const json::array* slots = reader.list("slots");
  if (!slots || slots->size() != feed_slots) reader.refuse("slots", "a list of two");
  if (status.on_air < -1 || status.on_air >= static_cast<int>(feed_slots))
    reader.refuse("on_air", "-1, 0 or 1");
  if (status.switches < 0 || status.switches > live_switches_max)
    reader.refuse("switches", "0 or more, and no more than can be");
  if (status.encode_delay_ms < 0 || status.encode_delay_ms > live_encode_delay_max_ms)
    reader.refuse("encode_delay_ms", "0 to an hour");
  if (reader.error()) return bad_input(*reader.error());
  std::size_t next = 0;
  auto take = [&](ObjectReader& each) { status.slots[next++] = read_slot(each); };
  if (auto read = for_each("status.slots", slots, take); !read)
    return std::unexpected(read.error());
  return status;
}

}  // namespace relay::media
