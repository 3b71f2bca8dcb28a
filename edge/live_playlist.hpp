// One live playlist at this edge: the newest version, and whether somebody follows it upstream.
// Thread-safe.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "common/base/clock.hpp"
#include "common/base/shared_value.hpp"
#include "common/net/broadcast.hpp"
#include "edge/live_version.hpp"

namespace relay::edge {

struct LivePlaylist {
  LivePlaylist(std::string its_key, std::string its_target)
      : key(std::move(its_key)), target(std::move(its_target)) {}

  const std::string key;                  // primary, without directives
  const std::string target;               // without directives
  SharedValue<const LiveVersion> newest;  // null: none yet, or none any more
  net::Broadcast changed;                 // a version came, or following ended
  std::atomic<bool> followed{false};
  std::atomic<SteadyTime> wanted_at{SteadyTime::min()};  // by a client or a member, last

  // Its follower's own:
  bool needs_whole = false;  // the next version is not to be a delta update
  int misfits = 0;           // delta updates in a row that did not fit
};

}  // namespace relay::edge
