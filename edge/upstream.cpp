#include "edge/upstream.hpp"

#include <algorithm>

#include "common/base/check.hpp"
#include "common/base/log.hpp"
#include "edge/cache_key.hpp"

namespace relay::edge {

namespace {

/// A member that got no answer says so itself, without the status of an answer in Cache-Status:
/// no reason to give up on the origin. A failure that it only hands on is the origin's own word.
bool failed_itself(const http::ResponseHead& head) {
  if (head.status != 502 && head.status != 504 && head.status != 508) return false;
  return http::joined(head.headers, "Cache-Status").find("fwd-status") == std::string::npos;
}

}  // namespace

Upstream::Upstream(const Settings& settings, fleet::Members& members, Metrics& metrics)
    : members_(members),
      origin_deadlines_{settings.connect_wait, settings.first_byte_wait, settings.stall_wait},
      peer_deadlines_{settings.connect_wait, settings.peer_first_byte_wait, settings.stall_wait},
      asked_peers_(metrics.counter("relay_edge_upstream_requests_total",
                                   "requests sent to where misses go", "to=\"peer\"")),
      asked_origins_(metrics.counter("relay_edge_upstream_requests_total", "", "to=\"origin\"")),
      failures_(metrics.counter("relay_edge_upstream_failures_total",
                                "requests sent on that got no answer")) {
  for (const UpstreamSettings& upstream : settings.upstreams) {
    auto endpoint = net::endpoint_of(upstream.url);
    RELAY_CHECK(endpoint.has_value());  // settings were judged
    origins_.push_back({*endpoint, upstream.url, false});
  }
}

std::vector<Upstream::Candidate> Upstream::candidates(const std::string& key,
                                                      fleet::HopRoute route) const {
  std::vector<Candidate> list;
  if (route == fleet::HopRoute::peer_or_origin) {
    for (const fleet::Member& member : members_.peers_for(primary_of(key))) {
      if (auto endpoint = net::endpoint_of(member.url)) {
        list.push_back({*endpoint, member.name, true});
      }
    }
  }
  list.insert(list.end(), origins_.begin(), origins_.end());
  return list;
}

void Upstream::note(const Candidate& candidate, const Result<net::ClientResponse>& answer) {
  if (!answer) {
    failures_.add();
    log::warn("no answer from upstream",
              {log::kv("asked", candidate.name), log::kv("why", answer.error().message)});
  }
  if (!candidate.peer) return;
  if (answer) {
    members_.report_success(candidate.name);
  } else if (members_.report_failure(candidate.name, steady_now())) {
    log::warn("member is down", {log::kv("member", candidate.name)});
  }
}

net::Task<Result<Answered>> Upstream::ask(net::Client& client, const std::string& key,
                                          fleet::HopRoute route, net::ClientRequest request) {
  bool safe = request.method == "GET" || request.method == "HEAD" || request.method == "OPTIONS";
  bool repeatable = safe || request.method == "PUT" || request.method == "DELETE";
  Error last{ErrorKind::unavailable, ErrorSource::upstream, true, "there is nobody to ask"};
  for (const Candidate& candidate : candidates(key, route)) {
    (candidate.peer ? asked_peers_ : asked_origins_).add();
    WallTime asked_at = wall_now();
    // What may change something is not asked for twice because a member takes its time.
    auto& deadlines = candidate.peer && safe ? peer_deadlines_ : origin_deadlines_;
    auto answer = co_await client.send(candidate.endpoint, request, deadlines);
    note(candidate, answer);
    bool usable = answer && !(candidate.peer && repeatable && failed_itself(answer->head()));
    if (usable) {
      co_return Answered{.response = std::move(*answer),
                         .request_time = asked_at,
                         .response_time = wall_now(),
                         .by_peer = candidate.peer,
                         .asked = candidate.name};
    }
    if (!answer) last = answer.error();
    if (!repeatable && last.kind != ErrorKind::unavailable) break;
  }
  co_return std::unexpected(std::move(last));
}

}  // namespace relay::edge
