// Surrogate-Control and Surrogate-Capability (W3C note "Edge Architecture Specification" 1.0,
// 2001): what CDNs and their origins used before RFC 9213, and many origins still send. Pure.
//
// It is no Structured Field: names have any case, and a directive may be meant for one surrogate
// only (`max-age=60;torchrelay`). Known here: max-age with its extension (`max-age=600+30`: 600 s
// fresh, then 30 s in which it may be served stale while it is fetched anew), no-store, and
// no-store-remote, for an edge is remote. `content` asks for processing that we do not announce.
#pragma once

#include <optional>
#include <string_view>

#include "common/http/cache_control.hpp"

namespace relay::http {

/// The name by which directives are aimed at our edges, all of them alike.
inline constexpr std::string_view surrogate_device = "torchrelay";

/// nullopt: absent, or nothing in it that is for us and that we understand; then it is ignored.
/// Directives aimed at us come before those for everybody; of two equals the first counts.
std::optional<ResponseDirectives> read_surrogate_control(Fields response);

/// Adds `torchrelay="Surrogate/1.0"` to a request, once however many edges it passes.
void announce_surrogate(Headers& request);

}  // namespace relay::http
