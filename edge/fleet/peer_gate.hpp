// Who counts as a member of the fleet without a key: whoever asks from this machine, or from an
// address that a member's url names. Nobody whose request was forwarded on the way: a proxy in
// front of an edge would make all its clients look like itself. Pure.
#pragma once

#include <span>
#include <string_view>

#include "common/base/error.hpp"
#include "common/http/message.hpp"
#include "edge/fleet/ring.hpp"

namespace relay::edge::fleet {

/// `peer`: the address at the other end, without a port. Errors: forbidden.
Result<void> check_address(std::string_view peer, http::Fields request,
                           std::span<const Member> members);

}  // namespace relay::edge::fleet
