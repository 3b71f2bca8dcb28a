#include "edge/node.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>
#include <utility>

#include "common/base/log.hpp"
#include "common/net/server.hpp"
#include "edge/admin.hpp"
#include "edge/change_spread.hpp"
#include "edge/edge.hpp"
#include "edge/fleet/peer_gate.hpp"
#include "edge/fleet/probe.hpp"
#include "edge/fleet/trust.hpp"
#include "edge/fleet_bus.hpp"
#include "edge/fleet_settings.hpp"
#include "edge/live_settings.hpp"
#include "edge/purge_spread.hpp"

namespace relay::edge {
namespace {

constexpr unsigned blocking_threads = 2;

net::ServerOptions server_options(const Settings& settings, Edge& edge, Admin& admin) {
  net::ServerOptions options;
  for (const std::string& address : settings.listen) options.listens.push_back({address, &edge});
  if (!settings.admin.empty()) options.listens.push_back({settings.admin, &admin, false});
  options.threads = thread_count(settings);
  options.drain_grace = settings.drain_grace;
  return options;
}

std::vector<std::string> names_of(const std::vector<fleet::Member>& members) {
  std::vector<std::string> names;
  for (const fleet::Member& member : members) names.push_back(member.name);
  return names;
}

bool on_loopback(const fleet::Member& member) {
  auto endpoint = net::endpoint_of(member.url);
  return endpoint && (endpoint->host == "localhost" || fleet::is_of_this_machine(endpoint->host));
}

void warn_of_strangers(const Settings& settings) {
  if (!settings.fleet_key.empty() || std::ranges::all_of(settings.members, on_loopback)) return;
  log::warn("fleet.key is empty: whoever reaches this edge can pass for one of the fleet", {});
}

/// Of two members neither is a majority.
void warn_of_two(const Settings& settings) {
  if (settings.members.size() != 2 || settings.purge_lease.count() == 0) return;
  log::warn("a fleet of two: while one is away the other asks upstream about every hit",
            {log::kv("remedy", "a third member, fleet.bus, or fleet.purge_lease = \"0s\"")});
}

AccessLog open_log(const Settings& settings) {
  auto log = AccessLog::open(settings.access_log);
  if (!log) throw std::runtime_error(log.error().message);
  return std::move(*log);
}

/// What the machine has, or the control group that this process was put into allows.
std::uint64_t machine_memory_bytes() {
  auto bytes = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
               static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  for (const char* path :
       {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    std::uint64_t limit = 0;
    if (std::ifstream(path) >> limit) bytes = std::min(bytes, limit);  // "max" is no number
  }
  return bytes;
}

/// What is judged before it is written has to wait somewhere.
std::uint64_t window_memory_bytes(const Settings& settings) {
  if (settings.cache_memory_bytes > 0) return settings.cache_memory_bytes;
  auto usual =
      policy::usual_memory_bytes(policy::goal_of(settings.cache_goal), settings.cache_size_bytes);
  return std::min(usual, machine_memory_bytes() / 4);
}

std::unique_ptr<cache::Cache> open_cache(const Settings& settings, Metrics& metrics) {
  auto cache = cache::Cache::open({.path = settings.cache_path,
                                   .size_bytes = settings.cache_size_bytes,
                                   .memory_bytes = window_memory_bytes(settings),
                                   .goal = policy::goal_of(settings.cache_goal)},
                                  metrics);
  if (!cache) throw std::runtime_error(cache.error().message);
  return std::move(*cache);
}

PurgeJournal::Opened open_journal(const Settings& settings) {
  auto purges = PurgeJournal::open(std::filesystem::path(settings.cache_path) / "purges");
  if (!purges) throw std::runtime_error(purges.error().message);
  return std::move(*purges);
}

fleet::Rules rules_of(const Settings& settings, const LiveSettings& live) {
  return {live.probe_interval, live.slow_start, live.handover, fleet::spread_of(settings.spread)};
}

std::unique_ptr<FleetSettings> open_fleet_settings(const Settings& settings, Metrics& metrics,
                                                   std::function<void()> changed) {
  if (settings.bus.empty()) return nullptr;
  return std::make_unique<FleetSettings>(settings.cache_path, std::move(changed), metrics);
}

std::vector<fleet::Member> first_members(const Settings& settings) {
  return settings.bus.empty() ? settings.members
                              : members_to_begin_with(settings, settings.cache_path);
}

}  // namespace

struct Node::Impl {
  Impl(const Settings& settings, std::string config_path);
  void wire();
  void join_bus();
  net::Task<void> leave();
  LiveSettings live() const;
  void reload();
  void take_on();
  void stop_parts();

  const Settings& settings;
  const std::string config_path;
  LiveSettings own_live;  // of the config as read last; on the first worker
  Metrics metrics;
  std::unique_ptr<FleetSettings> fleet_settings;  // null without fleet.bus
  AccessLog log;
  std::unique_ptr<cache::Cache> cache;
  PurgeJournal::Opened purges;
  net::Blocking blocking;
  const std::vector<fleet::Member> begin_with;
  fleet::Members members;
  fleet::Trust trust;
  Edge edge;
  Admin admin;
  net::Server server;
  fleet::Prober prober;
  PurgeSpread spread;
  ChangeSpread changes;
  std::unique_ptr<PurgeStream> stream;  // null without fleet.bus, as the next
  std::unique_ptr<FleetBus> bus;
};

Node::Impl::Impl(const Settings& settings, std::string path)
    : settings(settings),
      config_path(std::move(path)),
      own_live(settings.live),
      fleet_settings(open_fleet_settings(
          settings, metrics,
          [this] { net::asio::post(*server.workers().front(), [this] { take_on(); }); })),
      log(open_log(settings)),
      cache(open_cache(settings, metrics)),
      purges(open_journal(settings)),
      blocking(blocking_threads),
      begin_with(first_members(settings)),
      members(settings.name, begin_with, rules_of(settings, live()), steady_now()),
      trust(settings.name, names_of(begin_with), settings.purge_lease, steady_now()),
      edge(settings, *cache, members, trust, blocking, std::move(purges), metrics, log),
      admin(settings, edge, *cache, members, blocking, metrics),
      server(server_options(settings, edge, admin)),
      prober(*server.workers().front(), members, settings.connect_wait, &edge.peer_key()),
      spread(*server.workers().front(), members, trust, edge.peer_key(), edge.purger(),
             edge.purge_history(), blocking, metrics),
      changes(
          *server.workers().front(), members, edge.peer_key(),
          [this](const std::string& key) { edge.pass().invalidate(key); }, metrics) {
  warn_of_strangers(settings);
  if (settings.bus.empty()) warn_of_two(settings);
  wire();
}

void Node::Impl::wire() {
  take_on();
  edge.start();
  for (auto* io : server.workers()) edge.add_worker(*io);
  prober.start();
  if (!settings.members.empty()) {
    edge.add_peer_desk(purges_target, spread);
    edge.add_peer_desk(changes_target, changes);
    edge.pass().set_on_change(
        [this](auto keys, auto asker) { changes.tell(std::move(keys), std::move(asker)); });
  }
  admin.set_spread(spread);
  spread.start();
  if (!settings.bus.empty()) join_bus();
  server.before_stop([this] { return leave(); });
  server.on_stop([this] { stop_parts(); });
}

void Node::Impl::join_bus() {
  auto* io = server.workers().front();
  FleetBus::Hooks hooks;
  hooks.follow = [this, io](const bus::View& view) {
    members.replace(view.members, steady_now());
    std::vector<fleet::Member> all = view.members;
    all.insert(all.end(), view.lost.begin(), view.lost.end());
    trust.replace(names_of(all));
    net::asio::post(*io, [this, all = std::move(all)] { spread.follow(all); });
  };
  hooks.kept = [this, io](std::uint64_t stamp, std::vector<bus::Standing> standings) {
    net::asio::post(*io, [this, stamp, standings = std::move(standings)] {
      spread.note_streamed(stamp, standings);
    });
  };
  trust.use_stream(FleetBus::outage_max(settings.bus_ttl));
  stream = std::make_unique<PurgeStream>(settings.cache_path, cache->size() == 0, edge.purger(),
                                         edge.purge_history(), trust, metrics);
  bus = std::make_unique<FleetBus>(settings, settings.cache_path, *stream, *fleet_settings,
                                   std::move(hooks), metrics);
  spread.use_bus([this] { return bus->ring(); });
  admin.set_bus(bus.get());
  bus->start();
}

/// What can change while serving: the members, and what is live. The rest wants a restart. With a
/// bus only what this edge says of itself, for the members are those of the bus.
void Node::Impl::reload() {
  auto read = load(config_path);
  if (read && bus && read->members.empty()) {
    read = bad_input(config_path + ": leaving the fleet's bus wants a restart");
  }
  if (read && read->name != settings.name) {
    read = bad_input(config_path + ": another edge.name wants a restart");
  }
  if (!read) {
    log::error("reload refused, the old settings stay", {log::kv("why", read.error().message)});
    return;
  }
  if (bus) {
    bus->set_self(own_member(*read));
  } else {
    members.replace(read->members, steady_now());
    spread.follow_members();
  }
  own_live = read->live;
  take_on();
  log::info("settings reloaded: members, log and what else may change",
            {log::kv("members", read->members.size())});
  for (const std::string& key : waiting_keys(settings, *read))
    log::warn("a changed setting waits for a restart", {log::kv("key", key)});
}

/// What the fleet says goes before what this edge's file says.
LiveSettings Node::Impl::live() const {
  if (!fleet_settings) return own_live;
  return with_fleet_settings(own_live, fleet_settings->state().text).value_or(own_live);
}

/// On the first worker, or before it runs.
void Node::Impl::take_on() {
  LiveSettings next = live();
  log::configure("edge", next.log_level, next.log_format);
  edge.take_on(next);
  members.set_rules(rules_of(settings, next));
  prober.hurry();
  admin.show(list(own_live, fleet_settings ? fleet_settings->state().text : ""));
}

/// Balancers and members look elsewhere before the doors close.
net::Task<void> Node::Impl::leave() {
  admin.set_draining();
  return edge.roll_call().leave(*server.workers().front());
}

void Node::Impl::stop_parts() {
  if (bus) bus->drain();
  prober.stop();
  spread.stop();
  changes.stop();
  for (auto* io : server.workers()) {
    net::asio::post(*io, [this, io] { edge.stop_worker(*io); });
  }
}

Node::Node(const Settings& settings, std::string config_path)
    : impl_(std::make_unique<Impl>(settings, std::move(config_path))) {
}

Node::~Node() = default;

void Node::run() {
  Impl& parts = *impl_;
  log::info("serving",
            {log::kv("name", parts.settings.name), log::kv("listen", parts.settings.listen.front()),
             log::kv("objects", parts.cache->size())});
  parts.server.run([&parts] { parts.reload(); });
  parts.cache->wait_until_answered();  // what it calls back lives on the server's workers
  parts.bus.reset();
  log::info("stopped", {});
}

void Node::stop() {
  impl_->server.stop();
}

void Node::reload() {
  net::asio::post(*impl_->server.workers().front(), [&parts = *impl_] { parts.reload(); });
}

}  // namespace relay::edge
