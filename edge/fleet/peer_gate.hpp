// Who counts as a member of the fleet where only members may ask: whoever signs with the fleet's
// key; without a key whoever asks from this machine, or from an address that a member's url names.
// Then nobody whose request was forwarded on the way: a proxy in front of an edge would make all
// its clients look like itself. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "common/base/clock.hpp"
#include "common/base/error.hpp"
#include "common/http/head.hpp"
#include "edge/fleet/peer_key.hpp"
#include "edge/fleet/ring.hpp"

namespace relay::edge::fleet {

/// Whether an address, without a port, is one of loopback; "unix" is.
bool is_of_this_machine(std::string_view address);

/// `peer`: the address at the other end, without a port. Errors: forbidden.
Result<void> check_address(std::string_view peer, http::Fields request,
                           std::span<const Member> members);

/// What the signature of a letter to `target` is over, beside its method: nobody may put other
/// words in it.
std::string signed_of(std::string_view target, std::string_view body);

/// By its signature over the method and `signed_target`, or by check_address() when `key` is empty.
/// Errors: forbidden.
Result<void> check_member(const PeerKey& key, std::string_view peer,
                          const http::RequestHead& request, std::string_view signed_target,
                          std::span<const Member> members, WallTime now);

}  // namespace relay::edge::fleet
