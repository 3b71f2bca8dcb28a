// One live playlist at this edge: the newest version, and whether somebody follows it upstream.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "common/base/clock.hpp"
#include "common/base/shared_value.hpp"
#include "common/net/broadcast.hpp"
#include "edge/live_version.hpp"

namespace relay::edge {

/// Thread-safe, but for what is its follower's or its watcher's own.
struct LivePlaylist {
  LivePlaylist(std::string its_key, std::string its_target)
      : key(std::move(its_key)), target(std::move(its_target)) {}

  const std::string key;                  // primary, without directives
  const std::string target;               // without directives
  SharedValue<const LiveVersion> newest;  // null: none yet, or none any more
  net::Broadcast changed;                 // a version came, or following ended
  std::atomic<bool> followed{false};
  std::atomic<SteadyTime> wanted_at{SteadyTime::min()};  // by a client or a member, last

  // Of the request that its follower has upstream: the purge log's number when it began, and
  // whether nobody wants its answer any more.
  std::atomic<std::uint64_t> asked_sequence{0};
  std::atomic<bool> given_up{false};

  // Its follower's own:
  bool needs_whole = false;  // the next version is not to be a delta update
  int misfits = 0;           // delta updates in a row that did not fit
  bool answered = false;     // a version has come

  // Its watcher's own:
  std::uint64_t seen = 0;  // of `changed`
  int quiet_ticks = 0;     // since that changed
};

}  // namespace relay::edge
