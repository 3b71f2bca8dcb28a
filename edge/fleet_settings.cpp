#include "edge/fleet_settings.hpp"

#include <algorithm>
#include <utility>

#include "common/base/log.hpp"
#include "common/store/file.hpp"
#include "edge/live_settings.hpp"

namespace relay::edge {
namespace {

std::string kept_text(const std::filesystem::path& file) {
  auto text = store::read_file(file);
  if (!text) return {};  // never any
  auto valid = with_fleet_settings({}, *text, file.string());
  if (valid) return *text;
  log::warn("the fleet's settings as last known cannot be used",
            {log::kv("why", valid.error().message)});
  return {};
}

}  // namespace

FleetSettings::FleetSettings(std::filesystem::path folder, std::function<void()> changed,
                             Metrics& metrics)
    : file_(std::move(folder) / "bus_settings.toml"),
      changed_(std::move(changed)),
      rejected_(metrics.counter("relay_edge_bus_rejected_total",
                                "what the bus had and is not usable", "what=\"settings\"")) {
  state_.text = kept_text(file_);
}

FleetSettings::State FleetSettings::state() const {
  std::lock_guard lock(mutex_);
  return state_;
}

Result<void> FleetSettings::follow(bus::Session& session) {
  auto stream = session.state(bus::Stream::settings);
  if (!stream) return std::unexpected(stream.error());
  if (*stream == std::exchange(seen_, *stream)) return {};
  auto found = look(session, *stream);
  if (!found) return std::unexpected(found.error());
  take(std::move(*found));
  return {};
}

/// From the newest text back to one that is valid, as far as the bucket remembers; if none is, what
/// counted so far.
Result<FleetSettings::State> FleetSettings::look(bus::Session& session,
                                                 const bus::StreamState& stream) const {
  auto message = session.newest_of(bus::Stream::settings, fleet_settings_key);
  if (!message) return std::unexpected(message.error());
  if (!*message) return State{};
  State found = state();
  found.newest = (*message)->sequence;
  found.refused.clear();
  for (std::uint64_t i = 0; i < bus::settings_remembered; ++i) {
    if (found.newest - i < std::max<std::uint64_t>(stream.first, 1)) break;
    if (i > 0) message = session.at(bus::Stream::settings, found.newest - i);
    if (!message) return std::unexpected(message.error());
    if (!*message || (*message)->key != fleet_settings_key) continue;
    std::string text = (*message)->removed ? std::string() : std::move((*message)->text);
    auto valid = with_fleet_settings({}, text);
    if (valid) {
      found.text = std::move(text);
      found.sequence = found.newest - i;
      break;
    }
    if (i == 0) found.refused = valid.error().message;
  }
  return found;
}

void FleetSettings::take(State found) {
  State before;
  {
    std::lock_guard lock(mutex_);
    before = std::exchange(state_, found);
  }
  if (!found.refused.empty() && found.newest != before.newest) {
    rejected_.add();
    log::error("settings on the bus refused, those before stay",
               {log::kv("sequence", found.newest), log::kv("why", found.refused)});
  }
  if (found.text == before.text) return;
  if (found.newest == 0) {
    log::warn("the bus has no settings for the fleet any more: this edge's file counts", {});
  } else {
    log::info("settings of the fleet", {log::kv("sequence", found.sequence)});
  }
  if (auto kept = store::write_atomically(file_, found.text); !kept) {
    log::error("the fleet's settings cannot be kept", {log::kv("why", kept.error().message)});
  }
  changed_();
}

}  // namespace relay::edge
