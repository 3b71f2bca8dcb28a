#include "origin/live/channel_document.hpp"

#include <boost/json.hpp>

#include "common/base/quantity.hpp"
#include "common/media/date.hpp"

namespace relay::origin::live {

namespace json = boost::json;

namespace {

json::value text_or_null(const std::string& text) {
  return text.empty() ? json::value(nullptr) : json::value(text);
}

/// When something was so; null where there is nothing of which to say it.
json::value time_or_null(const std::string& text, WallTime at) {
  if (text.empty()) return nullptr;
  return json::value(media::date_text(at.time_since_epoch() / std::chrono::microseconds(1)));
}

/// The transcoder tells of a slot a moment later than we know of it.
media::SlotStatus slot_of(const Situation& now, std::size_t index) {
  media::SlotStatus slot;
  if (!now.publishing[index]) return slot;
  if (now.status) slot = now.status->slots[index];
  if (slot.state == media::SlotState::absent) slot.state = media::SlotState::starting;
  return slot;
}

json::object notable_slot(const Situation& now, std::size_t index) {
  media::SlotStatus slot = slot_of(now, index);
  std::string error = slot.error.empty() && now.publishing[index] ? now.failed_why : slot.error;
  return {
      {"publishing", now.publishing[index]}, {"state", media::name(slot.state)},
      {"error", text_or_null(error)},        {"video", text_or_null(slot.video)},
      {"audio", text_or_null(slot.audio)},   {"refused", text_or_null(now.refusals[index].recent)}};
}

json::object notable(const Situation& now) {
  json::object by_slot;
  for (media::FeedSlot slot : media::all_feed_slots)
    by_slot[media::name(slot)] = notable_slot(now, static_cast<std::size_t>(slot));
  json::value on_air(nullptr);
  if (now.status && now.status->on_air >= 0)
    on_air = media::name(static_cast<media::FeedSlot>(now.status->on_air));
  json::array shed;
  if (now.status)
    for (const std::string& each : now.status->shed) shed.emplace_back(each);
  return {{"on_air", std::move(on_air)},
          {"slots", std::move(by_slot)},
          {"shed", std::move(shed)},
          {"switches", now.status ? now.status->switches : 0},
          {"transcoder", json::object{{"running", now.transcoder_runs},
                                      {"restarts", now.restarts},
                                      {"error", text_or_null(now.trouble)}}}};
}

double seconds(std::int64_t us) {
  return static_cast<double>(us) / 1e6;
}

std::string duration(std::int64_t ms) {
  return duration_to_text(std::chrono::milliseconds(ms));
}

/// As PUT channels/{asset} takes them.
json::object settings_of(const Situation& now) {
  const media::LiveChannel& channel = now.record->job.live->channel;
  json::object out{{"part", duration(channel.part_target_ms)},
                   {"group", duration(channel.group_ms)},
                   {"segment", duration(channel.segment_ms)},
                   {"dvr", duration(now.rules.dvr->count())},
                   {"dvr_size_max", bytes_to_text(std::int64_t(*now.rules.dvr_size_max))},
                   {"between", media::name(channel.between)},
                   {"busy_slot", name(*now.rules.busy_slot)},
                   {"return_to_primary", channel.return_to_primary}};
  if (channel.rungs_max > 0) out["rungs_max"] = channel.rungs_max;
  if (channel.height_max > 0) out["height_max"] = channel.height_max;
  return out;
}

}  // namespace

json::object document_of(const Situation& now) {
  json::object out = notable(now);
  for (media::FeedSlot each : media::all_feed_slots) {
    auto index = static_cast<std::size_t>(each);
    media::SlotStatus slot = slot_of(now, index);
    json::object& into = out.at("slots").at(media::name(each)).as_object();
    into["delay"] = seconds(slot.delay_ms * 1000);
    into["dropped_frames"] = slot.dropped_frames;
    into["dropped_units"] = now.dropped_units[index];
    into["refused_publishers"] = now.refusals[index].count;
    into["refused_at"] = time_or_null(now.refusals[index].recent, now.refusals[index].at);
    into["jumps"] = slot.jumps;
  }
  out.at("transcoder").as_object()["error_at"] = time_or_null(now.trouble, now.trouble_at);
  const media::LiveChannel& channel = now.record->job.live->channel;
  out["between"] = media::name(channel.between);
  out["settings"] = settings_of(now);
  out["encode_delay"] = seconds(now.status ? now.status->encode_delay_ms * 1000 : 0);
  out["next_segment"] = now.next_segment < 0 ? json::value(nullptr) : json::value(now.next_segment);
  out["window"] = seconds(now.window_us);
  out["window_bytes"] = now.bytes;
  return out;
}

std::string notable_of(const Situation& now) {
  json::object out{{"tenant", now.record->job.tenant}, {"asset", now.record->job.asset}};
  out["live"] = notable(now);
  return json::serialize(out);
}

}  // namespace relay::origin::live
