#include "edge/fleet/peer_gate.hpp"

#include <algorithm>
#include <array>

#include "common/net/client.hpp"

namespace relay::edge::fleet {
namespace {

std::string_view plain(std::string_view address) {
  constexpr std::string_view mapped = "::ffff:";  // IPv4 on a socket for both
  return address.starts_with(mapped) ? address.substr(mapped.size()) : address;
}

bool was_forwarded(http::Fields request) {
  constexpr std::array<std::string_view, 4> signs = {"Via", "Forwarded", "X-Forwarded-For",
                                                     "CDN-Loop"};
  return std::ranges::any_of(
      signs, [&](std::string_view name) { return http::find(request, name).has_value(); });
}

}  // namespace

bool is_of_this_machine(std::string_view address) {
  return address.starts_with("127.") || address == "::1" || address == "unix";
}

Result<void> check_address(std::string_view peer, http::Fields request,
                           std::span<const Member> members) {
  std::string_view address = plain(peer);
  auto lives_there = [&](const Member& member) {
    auto endpoint = net::endpoint_of(member.url);
    return endpoint && endpoint->host == address;
  };
  bool known = is_of_this_machine(address) || std::ranges::any_of(members, lives_there);
  if (known && !was_forwarded(request)) return {};
  return fail(ErrorKind::forbidden, ErrorSource::client,
              "only members of the fleet may ask this, from an address in fleet.members");
}

std::string signed_of(std::string_view target, std::string_view body) {
  return std::string(target) + "\n" + std::string(body);
}

Result<void> check_member(const PeerKey& key, std::string_view peer,
                          const http::RequestHead& request, std::string_view signed_target,
                          std::span<const Member> members, WallTime now) {
  if (key.empty()) return check_address(peer, request.fields, members);
  auto signature = http::find(request.fields, peer_field);
  if (signature && key.check(*signature, request.method, signed_target, now)) return {};
  return fail(ErrorKind::forbidden, ErrorSource::client,
              "only members of the fleet may ask this, signed with fleet.key");
}

}  // namespace relay::edge::fleet
