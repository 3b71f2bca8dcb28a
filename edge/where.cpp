#include "edge/where.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "edge/cache_key.hpp"
#include "edge/fleet/placement.hpp"

namespace relay::edge {
namespace {

struct Asked {
  std::string_view host, target;
};

Asked split(std::string_view url) {
  std::size_t scheme = url.find("://");
  if (url.starts_with('/') || scheme == url.npos) return {"", url};
  std::string_view rest = url.substr(scheme + 3);
  std::size_t slash = std::min(rest.find('/'), rest.size());
  std::string_view target = rest.substr(slash);
  return {rest.substr(0, slash), target.empty() ? "/" : target};
}

std::string line_of(const fleet::Ring& ring, std::size_t member, std::size_t place) {
  const fleet::Member& each = ring.members()[member];
  return fmt::format("{:>3}  {:<9}  {}  {}  weight {}  share {:.2f} %{}\n", place,
                     place == 1 ? "owner" : "candidate", each.name, each.url, each.weight,
                     100 * ring.share(member), each.zone.empty() ? "" : "  zone " + each.zone);
}

}  // namespace

Result<std::string> where(const Settings& settings, std::string_view url) {
  Asked asked = split(url);
  auto keyed = key_target(asked.target, asked.host, settings.key_host);
  if (!keyed) return std::unexpected(keyed.error());
  auto owners = settings.members;
  std::erase_if(owners, [](const fleet::Member& member) { return member.drain; });
  fleet::Ring ring(std::move(owners));
  auto placed = fleet::placing_key(keyed->key, fleet::spread_of(settings.spread));
  std::string text = fmt::format("key {}\nplaced by {}\n", keyed->key, placed);
  auto order = ring.owners(fleet::ring_hash(placed), ring.members().size());
  if (order.empty()) text += fmt::format("  1  owner      {}  alone, no fleet\n", settings.name);
  for (std::size_t i = 0; i < order.size(); ++i) text += line_of(ring, order[i], i + 1);
  return text;
}

}  // namespace relay::edge
