// What may differ from channel to channel, and within which bounds.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "common/media/live.hpp"
#include "origin/live/live_settings.hpp"

namespace relay::origin::live {

enum class BusySlot { refuse, replace };  // a second publisher on a slot
const char* name(BusySlot busy);
/// Of "refuse" or "replace"; nullopt: neither.
std::optional<BusySlot> busy_slot_from(std::string_view text);

/// Rules of a channel's own, which may change while it is open; what is absent is as the settings
/// have it.
struct ChannelRules {
  std::optional<std::chrono::milliseconds> dvr;
  std::optional<std::uint64_t> dvr_size_max;
  std::optional<BusySlot> busy_slot;
};

/// How a window was kept last: a restart with a larger one shows nothing again of what had left it,
/// or its media sequence number would go back.
struct WindowMark {
  std::chrono::milliseconds dvr{0};
  std::uint64_t dvr_size_max = 0;
  std::int64_t first = 0;  // it began there when these became its bounds
};

/// The members of a request that may change while a channel is open, for messages.
inline constexpr const char* changeable_members = "title, tags, dvr, dvr_size_max and busy_slot";

/// What a channel's request asks for; absent: as the settings have it.
struct ChannelWishes {
  // Constants, for as long as the channel is open.
  std::optional<std::chrono::milliseconds> part, group, segment;
  std::optional<std::int64_t> rungs_max, height_max;
  std::optional<media::Between> between;
  std::optional<bool> return_to_primary;
  ChannelRules rules;
};

/// The constants of a channel that begins at `epoch_ms`.
media::LiveChannel constants_of(const ChannelWishes& wishes, const LiveSettings& settings,
                                std::int64_t epoch_ms);
/// The name of a constant that `wishes` would have otherwise than it is; empty: none.
std::string changed_constant(const ChannelWishes& wishes, const media::LiveChannel& constants);
/// `rules` with what `wishes` asks for.
ChannelRules merged(ChannelRules rules, const ChannelRules& wishes);
/// Those that are in force: nothing is absent.
ChannelRules in_force(const ChannelRules& rules, const LiveSettings& settings);

/// JSON, for the channel's record.
std::string to_json(const ChannelRules& rules, const std::optional<WindowMark>& window);
struct KeptRules {
  ChannelRules rules;
  std::optional<WindowMark> window;
};
/// Errors: corrupt.
Result<KeptRules> channel_rules_from_json(std::string_view text);

}  // namespace relay::origin::live
