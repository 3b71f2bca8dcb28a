// The edge: settings → cache → fleet → edge → server, in this order, and back.
#include <malloc.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <thread>

#include "common/base/log.hpp"
#include "common/base/program.hpp"
#include "common/net/server.hpp"
#include "edge/admin.hpp"
#include "edge/edge.hpp"
#include "edge/fleet/probe.hpp"
#include "edge/fleet/trust.hpp"
#include "edge/purge_spread.hpp"
#include "edge/where.hpp"

namespace relay::edge {
namespace {

constexpr unsigned blocking_threads = 2;

net::ServerOptions server_options(const Settings& settings, Edge& edge, Admin& admin) {
  net::ServerOptions options;
  for (const std::string& address : settings.listen) options.listens.push_back({address, &edge});
  if (!settings.admin.empty()) options.listens.push_back({settings.admin, &admin, false});
  options.threads = settings.threads > 0 ? static_cast<unsigned>(settings.threads)
                                         : std::max(1u, std::thread::hardware_concurrency());
  options.drain_grace = settings.drain_grace;
  return options;
}

std::vector<std::string> names_of(const std::vector<fleet::Member>& members) {
  std::vector<std::string> names;
  for (const fleet::Member& member : members) names.push_back(member.name);
  return names;
}

/// What can change while serving: the fleet and the log's level. The rest wants a restart.
void reload(const std::string& path, fleet::Members& members, PurgeSpread& spread) {
  auto settings = load(path);
  if (!settings) {
    log::error("reload refused, the old settings stay", {log::kv("why", settings.error().message)});
    return;
  }
  members.replace(settings->members, steady_now());
  spread.follow_members();
  log::configure("edge", settings->log_level, settings->log_format);
  log::info("settings reloaded: members and log; others wait for a restart",
            {log::kv("members", settings->members.size())});
}

bool on_loopback(const fleet::Member& member) {
  auto endpoint = net::endpoint_of(member.url);
  return endpoint && (endpoint->host == "localhost" || endpoint->host == "::1" ||
                      endpoint->host.starts_with("127."));
}

void warn_of_strangers(const Settings& settings) {
  if (!settings.fleet_key.empty() || std::ranges::all_of(settings.members, on_loopback)) return;
  log::warn("fleet.key is empty: whoever reaches this edge can pass for one of the fleet", {});
}

/// Chunks of bodies and LMDB's dirty pages come and go all the time, at sizes that malloc would map
/// and unmap each time: then every miss pays a page fault, and a zeroed page, for each 4 KiB. Their
/// number is bounded (cache.flight_memory, cache.memory, a store round), so keeping them is as
/// well.
void keep_freed_memory() {
  constexpr int kept_bytes = 64 << 20;
  mallopt(M_MMAP_THRESHOLD, kept_bytes / 2);
  mallopt(M_TRIM_THRESHOLD, kept_bytes);
}

int run(const Settings& settings, const std::string& path) {
  keep_freed_memory();
  Metrics metrics;
  auto log = AccessLog::open(settings.access_log);
  if (!log) throw std::runtime_error(log.error().message);
  auto cache = cache::Cache::open({.path = settings.cache_path,
                                   .size_bytes = settings.cache_size_bytes,
                                   .memory_bytes = settings.cache_memory_bytes,
                                   .goal = policy::goal_of(settings.cache_goal)},
                                  metrics);
  if (!cache) throw std::runtime_error(cache.error().message);
  auto purges = PurgeJournal::open(std::filesystem::path(settings.cache_path) / "purges");
  if (!purges) throw std::runtime_error(purges.error().message);
  net::Blocking blocking(blocking_threads);
  fleet::Members members(settings.name, settings.members,
                         {settings.probe_interval, settings.slow_start, settings.handover,
                          fleet::spread_of(settings.spread)},
                         steady_now());
  warn_of_strangers(settings);
  fleet::Trust trust(settings.name, names_of(settings.members), settings.purge_lease, steady_now());
  Edge edge(settings, **cache, members, trust, blocking, std::move(*purges), metrics, *log);
  Admin admin(settings, edge, **cache, members, blocking, metrics);
  edge.start();
  net::Server server(server_options(settings, edge, admin));
  for (auto* io : server.workers()) edge.add_worker(*io);
  fleet::Prober prober(*server.workers().front(), members, settings.probe_interval,
                       settings.connect_wait);
  prober.start();
  PurgeSpread spread(*server.workers().front(), members, trust, edge.peer_key(), edge.purger(),
                     edge.purge_history(), blocking, metrics);
  if (!settings.members.empty()) edge.set_peer_desk(spread);
  admin.set_spread(spread);
  spread.start();
  server.on_stop([&] {
    admin.set_draining();
    prober.stop();
    spread.stop();
    for (auto* io : server.workers()) {
      net::asio::post(*io, [&edge, io] { edge.stop_worker(*io); });
    }
  });
  log::info("serving", {log::kv("name", settings.name), log::kv("listen", settings.listen.front()),
                        log::kv("objects", (*cache)->size())});
  server.run([&] { reload(path, members, spread); });
  log::info("stopped", {});
  return 0;
}

int print_where(const Settings& settings, const std::string& url) {
  auto text = where(settings, url);
  if (!text) {
    std::fprintf(stderr, "torchrelay-edge: %s\n", text.error().message.c_str());
    return 1;
  }
  std::fputs(text->c_str(), stdout);
  return 0;
}

}  // namespace
}  // namespace relay::edge

int main(int argc, char** argv) {
  relay::Program program{"torchrelay-edge",
                         "The caching edge of a Torchrelay fleet.",
                         RELAY_VERSION,
                         true,
                         {"--where", "URL", "print which edges own it, the owner first, and stop"}};
  relay::Arguments arguments;
  if (auto stop = relay::parse_arguments(argc, argv, program, arguments)) return *stop;
  auto settings = relay::edge::load(arguments.config);
  if (!settings) return relay::report_settings_error(settings.error());
  if (arguments.check) return relay::report_settings_valid(arguments);
  if (!arguments.own.empty()) return relay::edge::print_where(*settings, arguments.own);
  relay::log::configure("edge", settings->log_level, settings->log_format);
  try {
    return relay::edge::run(*settings, arguments.config);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "torchrelay-edge: %s\n", error.what());
    return 1;
  }
}
