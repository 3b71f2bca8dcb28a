// SIGHUP: what may change while the origin runs, keys and edges, is read again.
#pragma once

#include <string>
#include <vector>

#include "origin/access.hpp"
#include "origin/announce.hpp"
#include "origin/settings.hpp"

namespace relay::origin {

/// Settings with a mistake in them are reported and change nothing.
void reload(const std::string& path, Access& access, Announcer& announcer);

/// "tenant demo added", "keys of demo changed", "edge http://… removed": for the log. Pure.
std::vector<std::string> changes(const std::vector<TenantSettings>& old_tenants,
                                 const std::vector<TenantSettings>& new_tenants,
                                 const std::vector<std::string>& old_edges,
                                 const std::vector<std::string>& new_edges);

}  // namespace relay::origin
