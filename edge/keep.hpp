// Collects the body of an answer that is passed on to one client, for the few such answers that
// may be stored: a POST's that is the target's new representation (RFC 9110 9.3.3), and a 206 for
// the tail of a body (edge/part). One owner, one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "edge/cache/cache.hpp"
#include "edge/stored.hpp"

namespace relay::edge {

/// Longer bodies are passed on without being kept.
inline constexpr std::uint64_t kept_body_bytes_max = 1 << 20;

class Keep {
 public:
  /// `key` is where the answer is to be found.
  Keep(std::string key, StoredResponse stored) : key_(std::move(key)), stored_(std::move(stored)) {}

  const std::string& key() const { return key_; }
  const StoredResponse& stored() const { return stored_; }
  void add(std::string_view bytes);
  /// When the body has come whole; nullopt when it was too long.
  std::optional<cache::NewObject> take() &&;

 private:
  std::string key_;
  StoredResponse stored_;
  std::string body_;
  bool too_long_ = false;
};

}  // namespace relay::edge
