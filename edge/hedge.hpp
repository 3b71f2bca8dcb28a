// A request to a member that may be slow. When its answer has not begun after that member's own
// p95, two things happen beside the wait: the member is probed (if it does not answer that, its
// breaker opens and everybody who waits for it goes on elsewhere), and another member is asked for
// what it holds. The other one never fetches: a member that is slow because the origin is slow must
// not become a second fetch of the same key.
#pragma once

#include <chrono>
#include <optional>

#include "common/net/client.hpp"
#include "edge/fleet/members.hpp"

namespace relay::edge {

struct MemberAsk {
  fleet::Peer peer;
  net::Endpoint endpoint;
  net::ClientRequest request;
  net::ClientDeadlines deadlines;
};

struct HedgeRules {
  /// The least and the most that is waited before a member counts as slow.
  std::chrono::milliseconds least{50}, most{200};
  /// What a member that is slow has to answer its probe within, and to be connected to.
  std::chrono::milliseconds probe_wait{333};
};

struct HedgedAnswer {
  Result<net::ClientResponse> answer;
  bool by_stand_in = false;
};

/// Ends with the first answer, or with the stand-in's if that holds the object and comes sooner.
/// `stand_in` asks for what is held only.
net::Task<HedgedAnswer> ask_hedged(net::Client& client, fleet::Members& members, MemberAsk ask,
                                   std::optional<MemberAsk> stand_in, HedgeRules rules);

}  // namespace relay::edge
