// Where the bus is: fleet.bus, "nats://[USER:PASSWORD@ or TOKEN@]HOST[:PORT]", tls:// for TLS, and
// more servers of one cluster behind commas. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.hpp"

namespace relay::edge::bus {

inline constexpr std::size_t servers_max = 16;

/// The servers, each a url of its own. Errors: invalid, saying what is allowed and nothing secret.
Result<std::vector<std::string>> servers_of(std::string_view address);

/// The same address for logs and pages: what stands before an @ becomes "...".
std::string without_secrets(std::string_view address);

/// Whether it may name a fleet on the bus (fleet.bus_name): letters, digits, _ and -.
bool is_bus_name(std::string_view name);

}  // namespace relay::edge::bus
