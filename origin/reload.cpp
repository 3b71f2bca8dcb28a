#include "origin/reload.hpp"

#include <algorithm>

#include "common/base/log.hpp"

namespace relay::origin {
namespace {

const TenantSettings* find(const std::vector<TenantSettings>& tenants, const std::string& name) {
  auto at = std::ranges::find(tenants, name, &TenantSettings::name);
  return at == tenants.end() ? nullptr : &*at;
}

void add_missing(std::vector<std::string>& lines, const std::vector<std::string>& from,
                 const std::vector<std::string>& in, const char* verb) {
  for (const std::string& edge : from) {
    if (std::ranges::find(in, edge) == in.end()) lines.push_back("edge " + edge + " " + verb);
  }
}

}  // namespace

std::vector<std::string> changes(const std::vector<TenantSettings>& old_tenants,
                                 const std::vector<TenantSettings>& new_tenants,
                                 const std::vector<std::string>& old_edges,
                                 const std::vector<std::string>& new_edges) {
  std::vector<std::string> lines;
  for (const TenantSettings& tenant : new_tenants) {
    const TenantSettings* before = find(old_tenants, tenant.name);
    if (!before) {
      lines.push_back("tenant " + tenant.name + " added");
    } else if (before->key_sha256 != tenant.key_sha256) {
      lines.push_back("keys of " + tenant.name + " changed");
    }
  }
  for (const TenantSettings& tenant : old_tenants) {
    if (!find(new_tenants, tenant.name)) lines.push_back("tenant " + tenant.name + " removed");
  }
  add_missing(lines, new_edges, old_edges, "added");
  add_missing(lines, old_edges, new_edges, "removed");
  return lines;
}

std::vector<std::string> waiting_keys(const Settings& started, Settings read) {
  read.tenants = started.tenants;
  read.edges_admin = started.edges_admin;
  read.log_level = started.log_level;
  read.log_format = started.log_format;
  return changed_keys(describe, started, read);
}

void reload(const std::string& path, const Settings& started, Access& access,
            Announcer& announcer) {
  auto settings = load(path);
  if (!settings) {
    log::error("reload refused, the old settings stay", {log::kv("why", settings.error().message)});
    return;
  }
  auto lines =
      changes(*access.tenants(), settings->tenants, announcer.edges(), settings->edges_admin);
  auto waiting = waiting_keys(started, *settings);
  access.replace(std::move(settings->tenants));
  announcer.set_edges(settings->edges_admin);
  log::configure("origin", settings->log_level, settings->log_format);
  for (const std::string& line : lines) log::info("settings reloaded", {log::kv("change", line)});
  if (lines.empty()) log::info("settings reloaded", {log::kv("change", "none that is live")});
  for (const std::string& key : waiting)
    log::warn("a changed setting waits for a restart", {log::kv("key", key)});
}

}  // namespace relay::origin
