#include "edge/fleet/ring.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

#include "common/base/check.hpp"
#include "common/base/hash.hpp"

namespace relay::edge::fleet {
namespace {

/// Spreads all bits over all bits (the finaliser of SplitMix64); one to one.
std::uint64_t mix(std::uint64_t bits) {
  bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9u;
  bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebu;
  return bits ^ (bits >> 31);
}

/// 53 bits as a number strictly between 0 and 1.
double unit(std::uint64_t bits) {
  return (static_cast<double>(bits >> 11) + 0.5) * 0x1p-53;
}

}  // namespace

std::uint64_t ring_hash(std::string_view key) {
  return hash64(key);
}

Ring::Ring(std::vector<Member> members) : members_(std::move(members)) {
  std::ranges::sort(members_, {}, &Member::name);
  for (const Member& member : members_) {
    RELAY_CHECK(member.weight > 0);
    seeds_.push_back(hash64(member.name));
    weight_ += member.weight;
  }
}

double Ring::score(std::size_t member, std::uint64_t key_hash) const {
  return -members_[member].weight / std::log(unit(mix(key_hash ^ seeds_[member])));
}

std::vector<std::size_t> Ring::owners(std::uint64_t key_hash, std::size_t most) const {
  std::vector<double> scores(members_.size());
  for (std::size_t i = 0; i < scores.size(); ++i) scores[i] = score(i, key_hash);
  std::vector<std::size_t> order(members_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  auto better = [&](std::size_t a, std::size_t b) {
    return scores[a] != scores[b] ? scores[a] > scores[b] : a < b;
  };
  most = std::min(most, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(most), order.end(),
                    better);
  order.resize(most);
  return order;
}

std::size_t Ring::owner(std::uint64_t key_hash) const {
  RELAY_CHECK(!members_.empty());
  std::size_t best = 0;
  double best_score = score(0, key_hash);
  for (std::size_t i = 1; i < members_.size(); ++i) {
    double next = score(i, key_hash);
    if (next > best_score) std::tie(best, best_score) = std::tuple(i, next);
  }
  return best;
}

}  // namespace relay::edge::fleet
