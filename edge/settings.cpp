#include "edge/settings.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <set>
#include <thread>

#include "common/http/syntax.hpp"
#include "edge/bus/address.hpp"
#include "edge/fleet/member_settings.hpp"
#include "edge/fleet/peer_key.hpp"

namespace relay::edge {
namespace {

bool is_listen_address(std::string_view text) {
  std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  auto port = http::read_decimal(text.substr(colon + 1));
  if (!port || *port > 65535) return false;
  std::string_view host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  boost::system::error_code error;
  boost::asio::ip::make_address(std::string(host), error);
  return !error;
}

void check_listen(Schema& schema, std::string_view key, std::string_view address) {
  if (is_listen_address(address)) return;
  schema.reject(key, "has '" + std::string(address) +
                         "'; allowed is IP:PORT, as in \"127.0.0.1:7101\" or \"[::1]:7101\"");
}

void describe_upstream(Schema& schema, UpstreamSettings& into) {
  schema.text("url", into.url, "http://HOST:PORT of an origin or a parent cache");
  fleet::check_url(schema, "url", into.url);
}

void describe_edge(Schema& schema, Settings& into) {
  schema.text("edge.name", into.name, "what peers, logs and Cache-Status call this edge");
  schema.texts("edge.listen", into.listen, "where viewers and other edges come in");
  schema.text("edge.admin", into.admin, "metrics, health and purge; keep it private");
  schema.count("edge.threads", into.threads, "0: one a core", {0, 256});
  schema.text("edge.access_log", into.access_log,
              "a line a request; empty: none, \"-\": standard output, else a file");
  schema.flag("edge.key_host", into.key_host, "whether different hosts are different objects");
  schema.flag("edge.client_directives", into.client_directives,
              "whether a viewer's Cache-Control may ask for a fresh copy");
  schema.duration("edge.drain_grace", into.drain_grace,
                  "how long open requests may take after a stop was asked for");
  fleet::check_edge_name(schema, "edge.name", into.name);
  if (into.listen.empty()) schema.reject("edge.listen", "is empty; give at least one address");
  for (const std::string& address : into.listen) check_listen(schema, "edge.listen", address);
  check_listen(schema, "edge.admin", into.admin);
}

void describe_cache(Schema& schema, Settings& into) {
  schema.text("cache.path", into.cache_path, "folder of the store; one edge's own");
  schema.bytes("cache.size", into.cache_size_bytes,
               "disk that the store may use; bodies of up to 16 KiB take a quarter of it at "
               "most",
               {16ll << 20, 64ll << 40});
  schema.bytes(
      "cache.memory", into.cache_memory_bytes,
      "memory for the newest bodies, judged before they go on to disk; 0B: judged on disk, but for "
      "goal writes half of size, at most a quarter of the machine's memory",
      {.least = 0});
  schema.text("cache.goal", into.cache_goal,
              "what to have little of: missed objects, missed bytes, or writes to the disk",
              {"objects", "bytes", "writes"});
  schema.bytes("cache.object_max", into.object_bytes_max,
               "the largest body that is stored; larger ones only pass through", {.least = 1});
  schema.bytes("cache.slice", into.slice_bytes,
               "bodies from four of these on are fetched and stored by slices of this size",
               {64ll << 10, 1ll << 30});
  schema.bytes("cache.flight_memory", into.flight_memory_bytes,
               "memory for bodies on their way from upstream", {.least = 1ll << 20});
  schema.duration("cache.negative", into.negative_lifetime,
                  "how long a 404 or 410 without a lifetime counts, unless it has Vary; 0s: it is "
                  "asked for each time",
                  {0, 600'000});
  if (into.cache_path.empty()) schema.reject("cache.path", "is empty; name a folder");
}

void describe_timeouts(Schema& schema, Settings& into) {
  schema.duration("timeouts.connect", into.connect_wait, "for a connection to upstream",
                  {1, 600'000});
  schema.duration("timeouts.first_byte", into.first_byte_wait,
                  "from a request to the head of its answer", {1, 3'600'000});
  schema.duration("timeouts.peer_first_byte", into.peer_first_byte_wait,
                  "the same of another edge that is alive", {1, 3'600'000});
  schema.duration("timeouts.stall", into.stall_wait,
                  "without a byte of a body before its flight is given up", {1, 3'600'000});
}

void check_members(Schema& schema, const Settings& settings) {
  if (settings.members.empty()) {
    schema.reject("fleet.members",
                  "is empty; list every edge with this one, or leave [fleet] out for one alone");
    return;
  }
  std::set<std::string> names;
  for (const fleet::Member& member : settings.members) {
    if (!names.insert(member.name).second) {
      schema.reject("fleet.members", "has '" + member.name + "' twice; names must differ");
    }
  }
  if (!names.contains(settings.name)) {
    schema.reject("fleet.members",
                  "lacks this edge, '" + settings.name + "' (edge.name); list it with the others");
  }
}

void describe_bus(Schema& schema, Settings& into) {
  schema.text("fleet.bus", into.bus,
              "nats://HOST:PORT of a NATS with JetStream that knows the members and keeps the "
              "purges; empty: none");
  schema.text("fleet.bus_name", into.bus_name, "what this fleet is called on the bus");
  schema.duration("fleet.bus_ttl", into.bus_ttl,
                  "an edge that the bus has not heard of for so long gets no keys",
                  {500, 3'600'000});
  schema.text("fleet.bus_ca", into.bus_ca,
              "file of the authorities that a tls:// bus is trusted by; empty: the system's");
  if (!into.bus.empty()) {
    auto servers = bus::servers_of(into.bus);
    if (!servers) schema.reject("fleet.bus", servers.error().message);
  }
  if (!bus::is_bus_name(into.bus_name)) {
    schema.reject("fleet.bus_name", "is refused; allowed are 1 to 64 of A-Z a-z 0-9 _ -");
  }
}

}  // namespace

unsigned thread_count(const Settings& settings) {
  if (settings.threads > 0) return static_cast<unsigned>(settings.threads);
  return std::max(1u, std::thread::hardware_concurrency());
}

const fleet::Member& own_member(const Settings& settings) {
  return *std::ranges::find(settings.members, settings.name, &fleet::Member::name);
}

void describe(Schema& schema, Settings& into) {
  describe_edge(schema, into);
  describe_live(schema, into.live);
  describe_cache(schema, into);
  schema.tables<UpstreamSettings>("upstream", into.upstreams, describe_upstream,
                                  "where misses go, tried in this order");
  if (into.upstreams.empty()) {
    schema.reject("upstream", "is missing; give at least one [[upstream]] with its url");
  }
  describe_timeouts(schema, into);
  schema.tables<fleet::Member>("fleet.members", into.members, fleet::describe_member,
                               "all edges of the fleet, this one too; leave out [fleet] for one");
  schema.count("fleet.hops_max", into.hops_max,
               "a request that came through more CDN hops is refused as a loop", {1, 100});
  schema.text("fleet.spread", into.spread,
              "what lies together on one edge: each object by itself, or a title's all",
              {"object", "title"});
  schema.text("fleet.key", into.fleet_key,
              "secret that the edges know one another by, 16 characters and more; empty: none");
  if (!into.fleet_key.empty() && into.fleet_key.size() < fleet::fleet_key_chars_min) {
    schema.reject("fleet.key", "is too short; allowed are 16 characters and more");
  }
  schema.duration(
      "fleet.purge_lease", into.purge_lease,
      "without a majority's word (two of two) on purges for so long, upstream is asked for "
      "everything; 0s: never",
      {0, 30'000});
  describe_bus(schema, into);
  if (schema.has("fleet")) check_members(schema, into);
}

std::vector<std::string> waiting_keys(const Settings& started, Settings read) {
  read.live = started.live;
  read.members = started.members;
  return changed_keys(describe, started, read);
}

Result<Settings> load(const std::string& path) {
  return load_settings<Settings>(path, describe);
}

}  // namespace relay::edge
