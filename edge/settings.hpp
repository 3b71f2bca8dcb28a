// conf/edge.toml as a struct (DESIGN 3.5): every key, its default, its sentence. The values here
// are the defaults of keys that the file leaves out. Read at start and at SIGHUP, when the members
// and what is `live` count; immutable after that.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "common/base/error.hpp"
#include "common/base/settings.hpp"
#include "edge/fleet/ring.hpp"
#include "edge/live_settings.hpp"

namespace relay::edge {

struct UpstreamSettings {
  std::string url;  // http://host:port
};

struct Settings {
  LiveSettings live;

  std::string name = "edge-1";
  std::vector<std::string> listen = {"127.0.0.1:7101"};
  std::string admin = "127.0.0.1:7201";
  std::int64_t threads = 0;
  std::string access_log;  // "" none, "-" stdout, else a file
  bool key_host = false;
  bool client_directives = true;
  std::chrono::milliseconds drain_grace{10'000};

  std::string cache_path = "var/edge-1";
  std::uint64_t cache_size_bytes = 2ull << 30;
  std::uint64_t cache_memory_bytes = 0;
  std::string cache_goal = "objects";
  std::uint64_t object_bytes_max = 256ull << 20;
  std::uint64_t slice_bytes = 8ull << 20;
  std::uint64_t flight_memory_bytes = 512ull << 20;
  std::chrono::milliseconds negative_lifetime{1'000};

  std::vector<UpstreamSettings> upstreams;

  std::chrono::milliseconds connect_wait{1'000};
  std::chrono::milliseconds first_byte_wait{30'000};
  std::chrono::milliseconds peer_first_byte_wait{35'000};
  std::chrono::milliseconds stall_wait{30'000};

  std::vector<fleet::Member> members;  // empty: no [fleet], a single edge
  std::int64_t hops_max = 4;
  std::string spread = "object";
  std::string fleet_key;  // empty: none
  std::chrono::milliseconds purge_lease{5'000};
  std::string bus;  // empty: the members are those of this file
  std::string bus_name = "torchrelay";
  std::chrono::milliseconds bus_ttl{10'000};
  std::string bus_ca;  // empty: those that the system trusts
};

/// The one description of all keys, with the rules between them.
void describe(Schema& schema, Settings& into);

/// Worker threads of the server.
unsigned thread_count(const Settings& settings);

/// What the file says about this edge itself; it has a [fleet].
const fleet::Member& own_member(const Settings& settings);

/// Keys that an edge which `started` with the ones and `read` the others takes on only when it is
/// started again: all but [fleet] members and the live ones.
std::vector<std::string> waiting_keys(const Settings& started, Settings read);

/// Reads and judges the file. Errors: invalid, "FILE:LINE:COLUMN: what is wrong and what is
/// allowed".
Result<Settings> load(const std::string& path);

}  // namespace relay::edge
