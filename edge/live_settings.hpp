// Settings that a running edge takes on: from its file at SIGHUP, and at any time from its fleet's
// bus (edge/fleet_settings), where one text holds for all edges and goes before their files: what
// an operator changes for the whole fleet must hold on each edge, whatever its file was once given.
//
// Only such stand here as do no harm while two edges have different ones. Whom keys belong to
// (fleet.spread) and when a purge is in force (fleet.purge_lease) must not differ for a moment, and
// how an edge reaches the bus cannot come from there. The description is pure.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.hpp"
#include "common/base/settings.hpp"

namespace relay::edge {

struct LiveSettings {
  std::string log_level = "info";
  std::string log_format = "text";
  std::chrono::milliseconds stale_on_error{3'600'000};
  std::int64_t prefetch_segments = 1;
  std::chrono::milliseconds probe_interval{1'000};
  std::chrono::milliseconds slow_start{10'000};
  std::chrono::milliseconds handover{600'000};
  bool operator==(const LiveSettings&) const = default;
};

void describe_live(Schema& schema, LiveSettings& into);

/// `own` with what the fleet's text says instead: TOML as in the file, these keys only. `source`
/// names the text in errors. Errors: invalid, "SOURCE:LINE:COLUMN: what is wrong and what is
/// allowed".
Result<LiveSettings> with_fleet_settings(LiveSettings own, std::string_view text,
                                         std::string_view source = "the fleet's settings");
inline constexpr std::size_t fleet_settings_bytes_max = 64 << 10;

/// One of them as it is in force.
struct LiveSetting {
  std::string key, value;
  bool from_fleet = false;  // else from this edge's file, or its default
};
/// All of them. `text`: what the fleet says, empty or valid.
std::vector<LiveSetting> list(const LiveSettings& own, std::string_view text);

/// Those of them that every request may read, as they are now. Thread-safe.
class LiveValues {
 public:
  explicit LiveValues(const LiveSettings& first) { take_on(first); }
  void take_on(const LiveSettings& next) {
    stale_on_error_.store(next.stale_on_error, std::memory_order_relaxed);
    prefetch_segments_.store(next.prefetch_segments, std::memory_order_relaxed);
  }
  std::chrono::milliseconds stale_on_error() const {
    return stale_on_error_.load(std::memory_order_relaxed);
  }
  std::int64_t prefetch_segments() const {
    return prefetch_segments_.load(std::memory_order_relaxed);
  }

 private:
  std::atomic<std::chrono::milliseconds> stale_on_error_;
  std::atomic<std::int64_t> prefetch_segments_;
};

}  // namespace relay::edge
