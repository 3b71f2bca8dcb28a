// SIGHUP: what may change while the origin runs, keys and edges, is read again.
#pragma once

#include <string>
#include <vector>

#include "origin/access.hpp"
#include "origin/announce.hpp"
#include "origin/settings.hpp"

namespace relay::origin {

/// Settings with a mistake in them are reported and change nothing. What differs from those that
/// the origin `started` with and cannot change while it runs is reported too.
void reload(const std::string& path, const Settings& started, Access& access, Announcer& announcer);

/// "tenant demo added", "keys of demo changed", "edge http://… removed": for the log. Pure.
std::vector<std::string> changes(const std::vector<TenantSettings>& old_tenants,
                                 const std::vector<TenantSettings>& new_tenants,
                                 const std::vector<std::string>& old_edges,
                                 const std::vector<std::string>& new_edges);

/// Keys that wait for a restart. Pure.
std::vector<std::string> waiting_keys(const Settings& started, Settings read);

}  // namespace relay::origin
