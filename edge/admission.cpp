#include "edge/admission.hpp"

#include <algorithm>

#include "common/http/trail.hpp"
#include "edge/cache_key.hpp"

namespace relay::edge {

Admission::Admission(const Settings& settings, const fleet::Members& members,
                     const fleet::PeerKey& key, Metrics& metrics)
    : settings_(settings),
      members_(members),
      key_(key),
      forged_(metrics.counter("relay_edge_forged_peers_total",
                              "requests with an edge's signature that did not hold")) {
}

/// Without a key what CDN-Loop says is believed.
bool Admission::trusts(const http::RequestHead& request) {
  if (key_.empty()) return true;
  auto signature = http::find(request.fields, fleet::peer_field);
  if (!signature) return false;
  if (key_.check(*signature, request.method, request.target, wall_now())) return true;
  forged_.add();
  return false;
}

bool Admission::names_member(http::Fields request) const {
  if (!http::find(request, "CDN-Loop")) return false;
  auto fleet = members_.snapshot();
  return std::ranges::any_of(fleet->members, [&](const fleet::Member& member) {
    return http::cdn_loop_has(request, fleet::loop_name(member.name));
  });
}

/// Who says without a signature that a member has sent it wants that member left out. It is
/// refused as a loop, which a member whose key or clock is wrong takes for "ask the origin".
std::optional<Refusal> Admission::judge(Visit& visit) {
  const http::RequestHead& request = visit.request;
  bool trusted = trusts(request);
  fleet::Hop hop = fleet::judge_hop(request.fields, settings_.name,
                                    static_cast<std::size_t>(settings_.hops_max), trusted);
  if (!trusted && names_member(request.fields)) {
    hop = {fleet::HopRoute::refuse, "an edge's name without its signature"};
  }
  visit.route = hop.route;
  if (hop.route == fleet::HopRoute::refuse) {
    visit.outcome = Outcome::refused;
    visit.detail = hop.reason;
    return Refusal{508, "this request has been here before"};
  }
  bool reads = request.method == "GET" || request.method == "HEAD";
  bool held_only = reads && hop.route == fleet::HopRoute::owner_or_origin &&
                   http::find(request.fields, fleet::held_only_field);
  if (held_only) visit.route = fleet::HopRoute::nobody;
  if (visit.route == fleet::HopRoute::owner_or_origin) visit.beginning = told_beginning(request);
  auto host = http::find(request.fields, "Host").value_or("");
  auto keyed = key_target(request.target, host, settings_.key_host);
  if (!keyed) {
    visit.outcome = Outcome::refused;
    visit.detail = keyed.error().message;
    return Refusal{400, keyed.error().message};
  }
  visit.primary_key = std::move(keyed->key);
  visit.target = std::move(keyed->target);
  return std::nullopt;
}

}  // namespace relay::edge
