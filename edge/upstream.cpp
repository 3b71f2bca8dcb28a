#include "edge/upstream.hpp"

#include <algorithm>

#include "common/base/check.hpp"
#include "common/base/log.hpp"
#include "common/http/trail.hpp"
#include "edge/cache_key.hpp"

namespace relay::edge {

namespace {

/// A member that got no answer says so itself, without the status of an answer in Cache-Status:
/// no reason to give up on the origin. A failure that it only hands on is the origin's own word.
bool failed_itself(const http::ResponseHead& head) {
  if (head.status != 502 && head.status != 504 && head.status != 508) return false;
  return http::joined(head.headers, "Cache-Status").find("fwd-status") == std::string::npos;
}

/// Whether it did not answer on the request's way here.
bool is_down(const http::Headers& request, std::string_view name) {
  return std::ranges::any_of(request.fields(), [&](const http::Field& field) {
    return http::same_name(field.name, fleet::down_field) && field.value == name;
  });
}

/// Members that one request asks before the origin: each may cost a time-out.
constexpr std::size_t members_asked_max = 4;

/// A silent member is found out within the deadline of a connection: a fifth of it is patience,
/// a third is for its probe, the rest for the watchdog's ticks.
HedgeRules hedge_rules(std::chrono::milliseconds connect_wait) {
  HedgeRules rules;
  rules.most = std::max(rules.least, std::min(rules.most, connect_wait / 5));
  rules.probe_wait = connect_wait / 3;
  return rules;
}

}  // namespace

Upstream::Upstream(const Settings& settings, fleet::Members& members, const fleet::PeerKey& key,
                   const ChangeCounts& changes, Metrics& metrics)
    : members_(members),
      key_(key),
      changes_(changes),
      origin_deadlines_{settings.connect_wait, settings.first_byte_wait, settings.stall_wait},
      peer_deadlines_{settings.connect_wait, settings.peer_first_byte_wait, settings.stall_wait},
      hedge_rules_(hedge_rules(settings.connect_wait)),
      asked_peers_(metrics.counter("relay_edge_upstream_requests_total",
                                   "requests sent to where misses go", "to=\"peer\"")),
      asked_holders_(metrics.counter("relay_edge_upstream_requests_total", "", "to=\"holder\"")),
      asked_origins_(metrics.counter("relay_edge_upstream_requests_total", "", "to=\"origin\"")),
      failures_(metrics.counter("relay_edge_upstream_failures_total",
                                "requests sent on that got no answer")),
      hedged_(metrics.counter("relay_edge_upstream_hedged_total",
                              "requests that another member answered while the owner was slow")) {
  for (const UpstreamSettings& upstream : settings.upstreams) {
    auto endpoint = net::endpoint_of(upstream.url);
    RELAY_CHECK(endpoint.has_value());  // settings were judged
    origins_.push_back({*endpoint, {{upstream.url, upstream.url}, nullptr}, Role::origin});
  }
}

/// Members that the request has come through are left out: they would refuse it. So are those that
/// were `asked`; when they are many the origin is next.
std::vector<Upstream::Candidate> Upstream::candidates(const std::string& key, fleet::HopRoute route,
                                                      const net::ClientRequest& request,
                                                      std::span<const std::string> asked) const {
  std::vector<Candidate> list;
  SteadyTime now = steady_now();
  std::string_view primary = primary_of(key);
  auto add = [&](const std::vector<fleet::Peer>& peers, Role role) {
    for (const fleet::Peer& peer : peers) {
      auto endpoint = net::endpoint_of(peer.url);
      auto same = [&](const Candidate& one) { return one.peer.name == peer.name; };
      bool listed = std::ranges::any_of(list, same);
      bool been = http::cdn_loop_has(request.headers, fleet::loop_name(peer.name)) ||
                  is_down(request.headers, peer.name) ||
                  std::ranges::find(asked, peer.name) != asked.end();
      if (endpoint && !listed && !been) list.push_back({*endpoint, peer, role});
    }
  };
  bool reads = request.method == "GET" || request.method == "HEAD";
  bool by_viewer = route == fleet::HopRoute::peer_or_origin;
  bool to_members = by_viewer || route == fleet::HopRoute::owner_or_origin;
  using Want = fleet::Placement::Want;
  auto want = by_viewer && reads ? Want::any_holder : Want::owner;
  // What was changed through this edge may be held there as it was.
  bool changed = changes_.of(primary) > 0;
  bool more = asked.size() <= members_asked_max;
  if (to_members && more) add(members_.peers_for(primary, now, want), Role::owner);
  if (to_members && reads && !changed && more)
    add(members_.holders_for(primary, now), Role::holder);
  if (route != fleet::HopRoute::nobody) list.insert(list.end(), origins_.begin(), origins_.end());
  return list;
}

bool Upstream::asks_member(const std::string& key) const {
  auto list = candidates(key, fleet::HopRoute::peer_or_origin, {}, {});
  return std::ranges::any_of(list, [](const Candidate& one) { return one.role == Role::owner; });
}

MemberAsk Upstream::member_ask(const fleet::Peer& peer, const net::Endpoint& endpoint,
                               net::ClientRequest request, bool held_only,
                               GivenUp long_poll) const {
  if (!key_.empty()) {
    request.headers.set(fleet::peer_field,
                        key_.sign(members_.self(), request.method, request.target, wall_now()));
  }
  if (held_only) request.headers.set(fleet::held_only_field, "1");
  // What may change something is not asked for twice because a member takes its time.
  auto deadlines = http::is_safe(request.method) ? peer_deadlines_ : origin_deadlines_;
  // What is held is there at once: nobody waits long for a chance to spare the origin.
  if (held_only) deadlines.connect = deadlines.first_byte = hedge_rules_.most;
  GivenUp when_down(peer.line, &peer.line->given_up);
  deadlines.given_up = {std::move(when_down), std::move(long_poll)};
  return {peer, endpoint, std::move(request), std::move(deadlines)};
}

net::Task<HedgedAnswer> Upstream::send(net::Client& client, const std::string& key,
                                       const Candidate& candidate,
                                       const net::ClientRequest& request,
                                       const GivenUp& long_poll) {
  if (candidate.role == Role::origin) {
    asked_origins_.add();
    net::ClientRequest plain = request;
    plain.headers.remove(fleet::down_field);
    plain.headers.remove(fleet::holder_field);
    net::ClientDeadlines deadlines = origin_deadlines_;
    deadlines.given_up = {long_poll};
    auto answer = co_await client.send(candidate.endpoint, std::move(plain), deadlines);
    co_return HedgedAnswer{std::move(answer)};
  }
  bool holder = candidate.role == Role::holder;
  (holder ? asked_holders_ : asked_peers_).add();
  MemberAsk ask = member_ask(candidate.peer, candidate.endpoint, request, holder, long_poll);
  std::optional<MemberAsk> stand_in;
  if (!holder && http::is_safe(request.method) && !long_poll) {
    auto other = members_.stand_in_for(primary_of(key), candidate.peer.name);
    if (other) {
      auto endpoint = net::endpoint_of(other->url);
      if (endpoint) stand_in = member_ask(*other, *endpoint, request, true);
    }
  }
  co_return co_await ask_hedged(client, members_, std::move(ask), std::move(stand_in),
                                hedge_rules_);
}

void Upstream::note(const Candidate& candidate, const Result<net::ClientResponse>& answer,
                    SteadyTime begun, const GivenUp& long_poll) {
  if (!answer) {
    failures_.add();
    log::warn("no answer from upstream",
              {log::kv("asked", candidate.peer.name), log::kv("why", answer.error().message)});
  }
  if (candidate.role == Role::origin) return;
  bool silent = steady_now() - begun >= hedge_rules_.most;
  if (answer) {
    auto taken = std::chrono::floor<std::chrono::microseconds>(steady_now() - begun);
    if (!long_poll) candidate.peer.line->times.add(taken);
    members_.report_success(candidate.peer.name);
  } else if (candidate.peer.line->given_up || (candidate.role == Role::holder && silent)) {
    return;  // known to all already, or it had little time and its probe tells more
  } else if (members_.report_failure(candidate.peer.name, steady_now())) {
    log::warn("member is down", {log::kv("member", candidate.peer.name)});
  }
}

net::Task<Result<Answered>> Upstream::ask(net::Client& client, const std::string& key,
                                          fleet::HopRoute route, net::ClientRequest request,
                                          ForRest rest, GivenUp long_poll) {
  request.headers.remove(fleet::peer_field);
  request.headers.remove(fleet::held_only_field);
  request.headers.remove(fleet::holder_field);
  if (!rest.holder.empty()) request.headers.set(fleet::holder_field, rest.holder);
  if (route == fleet::HopRoute::peer_or_origin) request.headers.remove(fleet::down_field);
  bool repeatable =
      http::is_safe(request.method) || request.method == "PUT" || request.method == "DELETE";
  Error last{ErrorKind::unavailable, ErrorSource::upstream, true, "there is nobody to ask"};
  std::vector<std::string> asked{std::move(rest.avoid)};
  std::vector<Candidate> list = candidates(key, route, request, asked);
  for (std::size_t next = 0; next < list.size();) {
    Candidate candidate = list[next++];
    bool member = candidate.role != Role::origin;
    if (member && candidate.peer.line->given_up) continue;  // found out since it was chosen
    if (member) asked.push_back(candidate.peer.name);
    WallTime asked_at = wall_now();
    SteadyTime begun = steady_now();
    auto under_way = member ? std::make_shared<fleet::UnderWay>(candidate.peer.line) : nullptr;
    auto [answer, by_stand_in] = co_await send(client, key, candidate, request, long_poll);
    if (by_stand_in) hedged_.add();
    if (!answer && long_poll && *long_poll) co_return std::unexpected(answer.error());
    if (!by_stand_in) note(candidate, answer, begun, long_poll);
    bool held = candidate.role != Role::holder || (answer && answer->head().status < 400);
    bool usable = answer && held && !(member && repeatable && failed_itself(answer->head()));
    if (usable) {
      co_return Answered{.response = std::move(*answer),
                         .request_time = asked_at,
                         .response_time = wall_now(),
                         .by_peer = candidate.role == Role::owner,
                         .asked = candidate.peer.name,
                         .under_way = std::move(under_way)};
    }
    if (answer) continue;
    last = answer.error();
    if (!repeatable && last.kind != ErrorKind::unavailable) break;
    if (!member) continue;
    // Whoever comes next in the key's order is known only now.
    request.headers.add(fleet::down_field, candidate.peer.name);
    list = candidates(key, route, request, asked);
    next = 0;
  }
  co_return std::unexpected(std::move(last));
}

net::Task<Result<Answered>> Upstream::ask_holder(net::Client& client, const std::string& member,
                                                 net::ClientRequest request) {
  auto peers = members_.peers_up();
  auto peer = std::ranges::find(peers, member, &fleet::Peer::name);
  auto endpoint = peer == peers.end()
                      ? fail(ErrorKind::unavailable, ErrorSource::upstream, "not a member")
                      : net::endpoint_of(peer->url);
  if (!endpoint) co_return std::unexpected(endpoint.error());
  for (auto field : {fleet::peer_field, fleet::down_field, fleet::holder_field}) {
    request.headers.remove(field);
  }
  Candidate candidate{*endpoint, *peer, Role::holder};
  MemberAsk ask = member_ask(*peer, *endpoint, std::move(request), true);
  // It has just said so: unlike one that may hold it, it is waited for.
  ask.deadlines.connect = ask.deadlines.first_byte = origin_deadlines_.connect;
  asked_holders_.add();
  WallTime asked_at = wall_now();
  SteadyTime begun = steady_now();
  auto under_way = std::make_shared<fleet::UnderWay>(peer->line);
  auto [answer, by_stand_in] =
      co_await ask_hedged(client, members_, std::move(ask), std::nullopt, hedge_rules_);
  note(candidate, answer, begun, nullptr);
  if (!answer) co_return std::unexpected(answer.error());
  co_return Answered{.response = std::move(*answer),
                     .request_time = asked_at,
                     .response_time = wall_now(),
                     .asked = member,
                     .under_way = std::move(under_way)};
}

}  // namespace relay::edge
