// What an edge writes about itself on the bus: TOML with the keys of a member in fleet.members, by
// the same rules, how long it has been registered and since when it has not looked at the others.
// Pure.
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.hpp"
#include "edge/fleet/ring.hpp"

namespace relay::edge::bus {

struct Registration {
  fleet::Member member;
  // When this was written. No clocks are compared: the bus says when that was.
  std::chrono::milliseconds registered_for{0};
  std::chrono::milliseconds looked_before{0};  // so long ago it knew all others
  static constexpr std::chrono::milliseconds never = std::chrono::hours(24 * 365 * 100);
  bool operator==(const Registration&) const = default;
};

std::string encode(const Registration& registration);
/// `key`: where it was found. Errors: invalid, "KEY:LINE:COLUMN: what is wrong and what is
/// allowed"; also when it does not lie under its own name's key.
Result<Registration> decode_registration(std::string_view key, std::string_view text);

/// The key of a member's registration: its name, with = for each dot, which may not stand anywhere
/// in a key of NATS.
std::string key_of(std::string_view name);

/// The members as last known, for a start without the bus. Errors: invalid, as above.
std::string encode_members(std::span<const fleet::Member> members);
Result<std::vector<fleet::Member>> decode_members(std::string_view source, std::string_view text);

}  // namespace relay::edge::bus
