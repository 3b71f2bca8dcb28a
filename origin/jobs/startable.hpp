// Whether a program can be started from the path that the settings name.
#pragma once

#include <optional>
#include <string>

namespace relay::origin::jobs {

/// What is wrong with `program` and what is allowed; nullopt: a file is there that we may execute
/// (whether it does what we want is not tried). As with posix_spawnp, a name without "/" is looked
/// up in PATH, and other relative paths count from the working directory. Asks the disk.
std::optional<std::string> why_not_startable(const std::string& program);

}  // namespace relay::origin::jobs
