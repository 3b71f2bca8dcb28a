// How members know one another: a field with a MAC under the key that the fleet shares (HMAC,
// RFC 2104, with SHA-256, the first 128 bits) over who asks, when, and what. What only a member may
// ask for (one hop, what is held only) is granted to nobody else.
//
// A field that does not hold is taken off, and its request is a plain client's: nothing is granted
// that a viewer has not anyway. It is not refused, for then one wrong clock or a key that is being
// changed would make the fleet refuse itself. One that is heard and sent again within the skew
// gives its sender what the member was given: the same public bytes.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/clock.hpp"

namespace relay::edge::fleet {

inline constexpr std::string_view peer_field = "Torchrelay-Peer";
/// "Answer from what you hold, or not at all": granted to members only.
inline constexpr std::string_view held_only_field = "Torchrelay-Held-Only";
inline constexpr std::size_t fleet_key_chars_min = 16;
/// How far two members' clocks may be apart, travel included.
inline constexpr std::chrono::seconds peer_skew_max{30};

/// Thread-safe.
class PeerKey {
 public:
  /// Empty: nothing is signed.
  explicit PeerKey(std::string_view secret);
  ~PeerKey();

  bool empty() const { return !keyed_; }
  /// The field's value, "NAME SECONDS MAC": `name` is this edge's own. The key must not be empty.
  std::string sign(std::string_view name, std::string_view method, std::string_view target,
                   WallTime now) const;
  /// Who signed it, a part of `value`; nothing when it does not hold.
  std::optional<std::string_view> check(std::string_view value, std::string_view method,
                                        std::string_view target, WallTime now) const;

 private:
  std::string mac(std::string_view name_and_time, std::string_view method,
                  std::string_view target) const;
  struct Keyed;  // the key, worked in once
  std::unique_ptr<Keyed> keyed_;
};

}  // namespace relay::edge::fleet
