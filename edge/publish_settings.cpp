#include "edge/publish_settings.hpp"

#include <fmt/format.h>

#include "common/store/file.hpp"
#include "edge/fleet_bus.hpp"
#include "edge/fleet_settings.hpp"

namespace relay::edge {
namespace {

Result<std::uint64_t> write(const Settings& settings, const std::string& text) {
  auto session = bus::Session::open(session_options(settings, [] {}));
  if (!session) return std::unexpected(session.error());
  return (*session)->write(bus::Stream::settings, fleet_settings_key, text);
}

}  // namespace

Result<std::string> publish_settings(const Settings& settings, const std::string& file) {
  if (settings.bus.empty()) return bad_input("fleet.bus is empty: there is no bus to put them on");
  auto text = store::read_file(file);
  if (!text) return std::unexpected(text.error());
  auto valid = with_fleet_settings({}, *text, file);
  if (!valid) return std::unexpected(valid.error());
  auto sequence = write(settings, *text);
  bus::end_library();
  if (!sequence) return std::unexpected(sequence.error());
  return fmt::format("{}: settings of the fleet {}, number {}\n", file, settings.bus_name,
                     *sequence);
}

}  // namespace relay::edge
