// Loop safety between edges (RFC 8586). Every request that an edge forwards carries CDN-Loop with
// one entry a hop; ours are "NAME.torchrelay", so that edges know one another even while their
// configs differ. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "common/http/message.hpp"

namespace relay::edge::fleet {

enum class HopRoute {
  peer_or_origin,  // came from a viewer: the owner may be asked
  origin_only,     // came from another edge: at most one hop inside a fleet
  refuse,          // a loop: answer 508
};

struct Hop {
  HopRoute route = HopRoute::peer_or_origin;
  std::string_view reason;  // a literal, when refused: "loop" or "too many hops"
};

/// Refused when this edge's own entry is there already, or more than `hops_max` entries of any
/// CDN.
Hop judge_hop(http::Fields request, std::string_view self, std::size_t hops_max);

/// This edge's entry: http::append_cdn_loop(request, loop_name(name)).
std::string loop_name(std::string_view edge);

}  // namespace relay::edge::fleet
