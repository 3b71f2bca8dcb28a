// The fleet's purges as the bus keeps them: one stream, in one order for all. An edge takes from it
// what it missed, and puts there what it knows and the stream does not: its own purges at once, and
// those that others took while they were cut off from the bus. Whoever has taken everything up to
// the stream's end knows every purge that was answered, for none is before it is in the stream.
//
// Not thread-safe: all calls on the bus's thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/error.hpp"
#include "common/base/metrics.hpp"
#include "edge/bus/session.hpp"
#include "edge/fleet/trust.hpp"
#include "edge/purge_history.hpp"
#include "edge/purger.hpp"

namespace relay::edge {

/// How far an edge has read, and in which stream; when what it read last was written, for a server
/// that lost its end in a power cut gives the same sequences again.
struct StreamPlace {
  std::int64_t created_ns = 0;
  std::uint64_t sequence = 0;
  std::int64_t written_ns = 0;
  bool operator==(const StreamPlace&) const = default;
};

std::string encode(const StreamPlace& place);
/// Nothing: it is not readable.
std::optional<StreamPlace> decode_place(std::string_view text);

/// Whether nothing lies between what was read and what the stream still has.
bool follows(const StreamPlace& place, const bus::StreamState& stream);

/// The same news in messages of one member's purges each, in their order, and none too large.
/// Purges from before `oldest` are left out, so that whoever has not heard of them finds a gap.
std::vector<PurgeNews> in_messages(const PurgeNews& news, WallTime oldest);

class PurgeStream {
 public:
  /// Messages that are read at a time, so that the bus's thread has time for other things.
  static constexpr std::uint64_t messages_at_a_time = 500;

  /// `folder`: where it writes down how far it has read. `holds_nothing`: the cache is empty.
  PurgeStream(std::filesystem::path folder, bool holds_nothing, Purger& purger,
              const PurgeHistory& history, fleet::Trust& trust, Metrics& metrics);

  /// A new session: call first. Errors, here and below: the session's.
  Result<void> begin(bus::Session& session);
  /// Takes what is new as of `asked_at`, just now. False: there is more, and nothing is to be built
  /// on what was taken so far.
  Result<bool> read(bus::Session& session, SteadyTime asked_at);
  /// Puts there what is missing of this edge's own purges, or of all.
  enum class Whose { own, all };
  Result<void> write(bus::Session& session, Whose whose);

  /// The newest of this edge's own purges that the stream has.
  std::uint64_t own_kept() const;
  std::uint64_t sequence() const { return place_.sequence; }

 private:
  bool take(const bus::Message& message);
  Result<void> write_some(bus::Session& session, const std::string& member);
  Result<void> check_place(bus::Session& session);
  void close_gap(SteadyTime now);
  void keep_place();

  const std::filesystem::path file_;
  Purger& purger_;
  const PurgeHistory& history_;
  fleet::Trust& trust_;
  Counter& replayed_;
  Counter& rejected_;
  Gauge& sequence_;
  StreamPlace place_, written_place_;
  bool holds_nothing_;  // at the start
  bool gap_ = false;    // there may have been purges that the stream does not tell any more
  PurgeVector kept_;    // what the stream has of each member
  PurgeVector before_;  // what this edge knew the last time that it put all there
};

}  // namespace relay::edge
