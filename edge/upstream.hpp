// Asks whoever should have the answer: the members of the fleet that own the key, then those that
// owned it before, for what they hold, then the upstreams of the config; each is skipped at once
// when it is known to be down or refuses.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/metrics.hpp"
#include "common/net/client.hpp"
#include "edge/change_counts.hpp"
#include "edge/fleet/hop.hpp"
#include "edge/fleet/members.hpp"
#include "edge/fleet/peer_key.hpp"
#include "edge/hedge.hpp"
#include "edge/settings.hpp"

namespace relay::edge {

/// A 206 that goes on where a held beginning ends (edge/part): what the two make together.
struct Completed {
  http::ResponseHead head;
  std::uint64_t length = 0;
};

struct Answered {
  net::ClientResponse response;
  WallTime request_time{};
  WallTime response_time{};
  bool by_peer = false;  // by a member that owns the key before this edge
  std::string asked;     // name of the member, or url of the upstream
  std::optional<Completed> completed = std::nullopt;
  std::shared_ptr<fleet::UnderWay> under_way = nullptr;  // of a member's answer
  // What comes before the response's own bytes, by the member that holds it: to be read first.
  std::unique_ptr<Answered> before = nullptr;

  const http::ResponseHead& head() const { return completed ? completed->head : response.head(); }
};

/// What a request for the rest of a body says beside it.
struct ForRest {
  std::string avoid;   // the member that broke it off: passed over
  std::string holder;  // the member that holds what comes before: told to members
};

/// Thread-safe; each call uses the caller's own client.
class Upstream {
 public:
  Upstream(const Settings& settings, fleet::Members& members, const fleet::PeerKey& key,
           const ChangeCounts& changes, Metrics& metrics);

  /// The first answer that begins, whatever its status; a member that says that it got none itself
  /// is passed over, and so is rest.avoid. `key` is any key of the object, `request`
  /// ready to be sent. Only idempotent methods go to a second candidate once something was sent.
  /// Errors: unavailable, timeout, aborted or invalid, source upstream.
  /// With `long_poll` the answer is late on purpose: no other member is asked meanwhile, how long
  /// it took says nothing, and once the flag is true nobody wants it any more: what is under way is
  /// broken off, which is nobody's failure.
  using GivenUp = std::shared_ptr<const std::atomic<bool>>;
  net::Task<Result<Answered>> ask(net::Client& client, const std::string& key,
                                  fleet::HopRoute route, net::ClientRequest request,
                                  ForRest rest = {}, GivenUp long_poll = nullptr);

  /// Whether a viewer's request for the key would go to another member before the origin.
  bool asks_member(const std::string& key) const;

  /// That member's own answer out of what it holds, and nobody else's. Errors as above, and
  /// unavailable when it is not known or down.
  net::Task<Result<Answered>> ask_holder(net::Client& client, const std::string& member,
                                         net::ClientRequest request);

 private:
  enum class Role { owner, holder, origin };
  struct Candidate {
    net::Endpoint endpoint;
    fleet::Peer peer;  // of an upstream: its url for a name, and no line
    Role role = Role::origin;
  };
  std::vector<Candidate> candidates(const std::string& key, fleet::HopRoute route,
                                    const net::ClientRequest& request,
                                    std::span<const std::string> asked) const;
  net::Task<HedgedAnswer> send(net::Client& client, const std::string& key,
                               const Candidate& candidate, const net::ClientRequest& request,
                               const GivenUp& long_poll);
  MemberAsk member_ask(const fleet::Peer& peer, const net::Endpoint& endpoint,
                       net::ClientRequest request, bool held_only,
                       GivenUp long_poll = nullptr) const;
  void note(const Candidate& candidate, const Result<net::ClientResponse>& answer, SteadyTime begun,
            const GivenUp& long_poll);

  fleet::Members& members_;
  const fleet::PeerKey& key_;
  const ChangeCounts& changes_;
  std::vector<Candidate> origins_;
  net::ClientDeadlines origin_deadlines_;
  net::ClientDeadlines peer_deadlines_;
  HedgeRules hedge_rules_;
  Counter& asked_peers_;
  Counter& asked_holders_;
  Counter& asked_origins_;
  Counter& failures_;
  Counter& hedged_;
};

}  // namespace relay::edge
