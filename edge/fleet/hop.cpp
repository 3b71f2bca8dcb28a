#include "edge/fleet/hop.hpp"

#include <algorithm>

#include "common/http/syntax.hpp"
#include "common/http/trail.hpp"

namespace relay::edge::fleet {
namespace {

constexpr std::string_view our_domain = ".torchrelay";

bool is_ours(std::string_view entry) {
  entry = http::trim(entry.substr(0, entry.find(';')));
  if (entry.size() <= our_domain.size()) return false;
  return http::same_name(entry.substr(entry.size() - our_domain.size()), our_domain);
}

bool has_edge(http::Fields request) {
  for (const http::Field& field : request) {
    if (!http::same_name(field.name, "CDN-Loop")) continue;
    std::string_view rest = field.value;
    while (auto entry = http::next_element(rest)) {
      if (is_ours(*entry)) return true;
    }
  }
  return false;
}

}  // namespace

std::string loop_name(std::string_view edge) {
  return std::string(edge) + std::string(our_domain);
}

Hop judge_hop(http::Fields request, std::string_view self, std::size_t hops_max, bool trusted) {
  if (!http::find(request, "CDN-Loop")) return {};
  if (http::cdn_loop_has(request, loop_name(self))) return {HopRoute::refuse, "loop"};
  if (http::cdn_loop_count(request) > hops_max) return {HopRoute::refuse, "too many hops"};
  if (!trusted || !has_edge(request)) return {};
  return {HopRoute::owner_or_origin, {}};
}

}  // namespace relay::edge::fleet
