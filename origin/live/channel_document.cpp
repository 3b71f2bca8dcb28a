#include "origin/live/channel_document.hpp"

#include <boost/json.hpp>

namespace relay::origin::live {

namespace json = boost::json;

namespace {

constexpr media::FeedSlot slots[] = {media::FeedSlot::primary, media::FeedSlot::backup};

json::value text_or_null(const std::string& text) {
  return text.empty() ? json::value(nullptr) : json::value(text);
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
  return {{"publishing", now.publishing[index]},
          {"state", media::name(slot.state)},
          {"error", text_or_null(error)},
          {"video", text_or_null(slot.video)},
          {"audio", text_or_null(slot.audio)}};
}

json::object notable(const Situation& now) {
  json::object by_slot;
  for (media::FeedSlot slot : slots)
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

}  // namespace

json::object document_of(const Situation& now) {
  json::object out = notable(now);
  for (media::FeedSlot each : slots) {
    auto index = static_cast<std::size_t>(each);
    media::SlotStatus slot = slot_of(now, index);
    json::object& into = out.at("slots").at(media::name(each)).as_object();
    into["delay"] = seconds(slot.delay_ms * 1000);
    into["dropped_frames"] = slot.dropped_frames;
    into["dropped_units"] = now.dropped_units[index];
    into["jumps"] = slot.jumps;
  }
  const media::LiveChannel& channel = now.record->job.live->channel;
  out["between"] = channel.between == media::Between::slate ? "slate" : "gap";
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
