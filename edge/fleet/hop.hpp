// Loop safety between edges (RFC 8586). Every request that an edge forwards carries CDN-Loop with
// one entry of ours a hop: `torchrelay; edge="edge-1"`. Pure.
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

/// The CDN-Loop value to forward: what came, and our entry behind it.
std::string forward_loop(http::Fields request, std::string_view self);

}  // namespace relay::edge::fleet
