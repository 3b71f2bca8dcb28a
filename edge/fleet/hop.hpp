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
  peer_or_origin,   // came from a viewer: the owner may be asked
  owner_or_origin,  // came from another edge: only who comes before this one in the key's order
                    // may be asked, so that no two wait for each other
  origin_only,      // what members hold is not to be relied on
  nobody,           // another edge wants what is held here, nothing else
  refuse,           // a loop: answer 508
};

/// Names, one a field line, the members that did not answer on this request's way: whoever gets it
/// from an edge does not wait for them again.
inline constexpr std::string_view down_field = "Torchrelay-Down";
/// Names the member that holds the bytes before the rest that it asks for (edge/beginning).
inline constexpr std::string_view holder_field = "Torchrelay-Holder";

struct Hop {
  HopRoute route = HopRoute::peer_or_origin;
  std::string_view reason;  // a literal, when refused: "loop" or "too many hops"
};

/// Refused when this edge's own entry is there already, or more than `hops_max` entries of any
/// CDN. `trusted`: whether entries that name an edge are believed; else it is a viewer's request.
Hop judge_hop(http::Fields request, std::string_view self, std::size_t hops_max, bool trusted);

/// This edge's entry: http::append_cdn_loop(request, loop_name(name)).
std::string loop_name(std::string_view edge);

}  // namespace relay::edge::fleet
