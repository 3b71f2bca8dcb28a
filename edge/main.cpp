// The program around an edge (edge/node): arguments, settings, and how it ends.
#include <malloc.h>

#include <cstdio>
#include <exception>

#include "common/base/limits.hpp"
#include "common/base/log.hpp"
#include "common/base/program.hpp"
#include "edge/fleet_bus.hpp"
#include "edge/node.hpp"
#include "edge/publish_settings.hpp"
#include "edge/where.hpp"

namespace relay::edge {
namespace {

/// Chunks of bodies and LMDB's dirty pages come and go all the time, at sizes that malloc would map
/// and unmap each time: then every miss pays a page fault, and a zeroed page, for each 4 KiB. Their
/// number is bounded (cache.flight_memory, cache.memory, a store round), so keeping them is as
/// well.
void keep_freed_memory() {
  constexpr int kept_bytes = 64 << 20;
  mallopt(M_MMAP_THRESHOLD, kept_bytes / 2);
  mallopt(M_TRIM_THRESHOLD, kept_bytes);
}

/// What there is to say, or why there is not.
int print(const Result<std::string>& said) {
  if (!said) {
    std::fprintf(stderr, "torchrelay-edge: %s\n", said.error().message.c_str());
    return 1;
  }
  std::fputs(said->c_str(), stdout);
  return 0;
}

/// With a bus by the members as the edge with this config saw them last.
int print_where(Settings settings, const std::string& url) {
  if (!settings.bus.empty()) {
    settings.members = members_to_begin_with(settings, settings.cache_path);
  }
  return print(where(settings, url));
}

}  // namespace
}  // namespace relay::edge

int main(int argc, char** argv) {
  relay::Program program{
      "torchrelay-edge",
      "The caching edge of a Torchrelay fleet.",
      RELAY_VERSION,
      true,
      {{"--where", "URL", "print which edges own it, the owner first, and stop"},
       {"--publish-settings", "FILE", "put them on the bus, for the whole fleet, and stop"}}};
  relay::Arguments arguments;
  if (auto stop = relay::parse_arguments(argc, argv, program, arguments)) return *stop;
  auto settings = relay::edge::load(arguments.config);
  if (!settings) return relay::report_settings_error(settings.error());
  if (arguments.check) return relay::report_settings_valid(arguments);
  if (auto url = arguments.own.find("--where"); url != arguments.own.end()) {
    return relay::edge::print_where(*settings, url->second);
  }
  if (auto file = arguments.own.find("--publish-settings"); file != arguments.own.end()) {
    return relay::edge::print(relay::edge::publish_settings(*settings, file->second));
  }
  relay::log::configure("edge", settings->live.log_level, settings->live.log_format);
  relay::raise_descriptors_max(relay::limits::connections_max *
                               relay::edge::thread_count(*settings));
  try {
    relay::edge::keep_freed_memory();
    relay::edge::Node node(*settings, arguments.config);
    node.run();
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "torchrelay-edge: %s\n", error.what());
    return 1;
  }
}
