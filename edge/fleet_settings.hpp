// The settings that the fleet's bus holds for all of its edges (edge/live_settings): TOML under the
// key "edge" of the bucket NAME_settings. The newest valid text there counts. A wrong one is named
// and passed over, so that an edge that begins while it stands there goes by the same text as the
// others. What counts is kept on disk, for a start without the bus. A bus that has no text (an
// operator took it away, or it lost its data) leaves every edge to its own file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

#include "common/base/error.hpp"
#include "common/base/metrics.hpp"
#include "edge/bus/session.hpp"

namespace relay::edge {

inline constexpr std::string_view fleet_settings_key = "edge";

class FleetSettings {
 public:
  /// Begins with the text that was kept in `folder`, if any. `changed` is called on the bus's
  /// thread whenever state().text has become another.
  FleetSettings(std::filesystem::path folder, std::function<void()> changed, Metrics& metrics);

  /// A new session: call first. On the bus's thread, as follow().
  void begin() { seen_ = {}; }
  /// Takes what is new. Errors: the session's.
  Result<void> follow(bus::Session& session);

  struct State {
    std::string text;            // valid; empty: the bus says nothing
    std::uint64_t sequence = 0;  // where it stands; 0: not looked yet, or nothing there
    std::uint64_t newest = 0;    // where the newest one stands
    std::string refused;         // why that one does not count
  };
  /// Thread-safe.
  State state() const;

 private:
  Result<State> look(bus::Session& session, const bus::StreamState& stream) const;
  void take(State found);

  const std::filesystem::path file_;
  const std::function<void()> changed_;
  Counter& rejected_;
  bus::StreamState seen_;
  mutable std::mutex mutex_;  // guards state_
  State state_;
};

}  // namespace relay::edge
