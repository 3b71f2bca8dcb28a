// Puts settings of the whole fleet on its bus: `torchrelay-edge --config FILE --publish-settings
// FILE`. What the edges would refuse is refused here, before any of them sees it.
#pragma once

#include <string>

#include "common/base/error.hpp"
#include "edge/settings.hpp"

namespace relay::edge {

/// `file`: TOML with keys of LiveSettings; an empty one leaves every edge to its own file again.
/// `settings`: of an edge of the fleet. Blocks for some seconds at most. Returns what to say.
/// Errors: invalid, in the words of with_fleet_settings(); unavailable.
Result<std::string> publish_settings(const Settings& settings, const std::string& file);

}  // namespace relay::edge
