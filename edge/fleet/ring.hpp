// The fleet's consistent hash: weighted rendezvous. Each member scores each key, -weight / ln(u)
// with u in (0, 1) from the hash of both; the highest score owns. Weights are exact, and a member
// that comes or goes moves only keys of its own. Pure and immutable; a lookup costs one hash and
// one logarithm a member.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace relay::edge::fleet {

/// An edge on the ring. Keys hash with the name, so the url may change without moving any.
struct Member {
  std::string name;
  std::string url;  // http://host:port, where the other edges ask it
  double weight = 1.0;
  std::string zone;    // where it stands; edges of one zone are near to one another
  bool drain = false;  // owns nothing; what it holds from before is still asked for
  bool operator==(const Member&) const = default;
};

/// The hash that the ring places a cache key by; the same on every edge.
std::uint64_t ring_hash(std::string_view key);

class Ring {
 public:
  Ring() = default;
  /// Names are unique, weights above 0. The order of members does not matter.
  explicit Ring(std::vector<Member> members);

  std::span<const Member> members() const { return members_; }
  /// Indexes into members() of the first `most` owners of the key, best first.
  std::vector<std::size_t> owners(std::uint64_t key_hash, std::size_t most) const;
  /// The first of owners(); the ring must not be empty.
  std::size_t owner(std::uint64_t key_hash) const;
  /// The part of all keys that the member owns, 0 to 1.
  double share(std::size_t member) const { return members_[member].weight / weight_; }

 private:
  double score(std::size_t member, std::uint64_t key_hash) const;
  std::vector<Member> members_;
  std::vector<std::uint64_t> seeds_;  // of the names
  double weight_ = 0;                 // of all
};

}  // namespace relay::edge::fleet
