// Asks whoever should have the answer: the members of the fleet that own the key, then the
// upstreams of the config, each skipped at once when it is known to be down or refuses.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.hpp"
#include "common/base/metrics.hpp"
#include "common/net/client.hpp"
#include "edge/fleet/hop.hpp"
#include "edge/fleet/members.hpp"
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
  bool by_peer = false;
  std::string asked;  // name of the member, or url of the upstream
  std::optional<Completed> completed = std::nullopt;

  const http::ResponseHead& head() const { return completed ? completed->head : response.head(); }
};

/// Thread-safe; each call uses the caller's own client.
class Upstream {
 public:
  Upstream(const Settings& settings, fleet::Members& members, Metrics& metrics);

  /// The first answer that begins, whatever its status; a member that says that it got none itself
  /// is passed over. `key` is any key of the object, `request` ready to be sent. Only idempotent
  /// methods go to a second candidate once something was sent. Errors: unavailable, timeout,
  /// aborted or invalid, source upstream.
  net::Task<Result<Answered>> ask(net::Client& client, const std::string& key,
                                  fleet::HopRoute route, net::ClientRequest request);

 private:
  struct Candidate {
    net::Endpoint endpoint;
    std::string name;
    bool peer = false;
  };
  std::vector<Candidate> candidates(const std::string& key, fleet::HopRoute route) const;
  void note(const Candidate& candidate, const Result<net::ClientResponse>& answer);

  fleet::Members& members_;
  std::vector<Candidate> origins_;
  net::ClientDeadlines origin_deadlines_;
  net::ClientDeadlines peer_deadlines_;
  Counter& asked_peers_;
  Counter& asked_origins_;
  Counter& failures_;
};

}  // namespace relay::edge
