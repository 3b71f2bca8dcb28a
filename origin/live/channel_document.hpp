// How a channel is, in words: for GET assets/{asset} and for subscribers. Pure.
#pragma once

#include <boost/json/object.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "common/media/live.hpp"
#include "origin/live/feed.hpp"
#include "origin/live/keeper.hpp"

namespace relay::origin::live {

struct Situation {
  std::shared_ptr<const ChannelRecord> record;
  ChannelRules rules;                       // in force
  std::optional<media::LiveStatus> status;  // of a transcoder that runs
  std::string failed_why;                   // its own verdict on what it was fed
  std::array<bool, media::feed_slots> publishing{};
  std::array<std::uint64_t, media::feed_slots> dropped_units{};
  std::array<Refusals, media::feed_slots> refusals;
  bool transcoder_runs = false;
  int restarts = 0;
  std::string trouble;
  WallTime trouble_at{};
  std::int64_t next_segment = -1;  // -1: nothing was made yet
  std::int64_t window_us = 0;
  std::uint64_t bytes = 0;
};

/// {"on_air", "slots": {"primary": {…}, "backup": {…}}, "shed", "transcoder", "window", …}
boost::json::object document_of(const Situation& now);
/// The same without what changes all the time: another text is worth an event.
std::string notable_of(const Situation& now);

}  // namespace relay::origin::live
