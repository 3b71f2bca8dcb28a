// Tells the other members what a request may have changed, as the one who sent it on to the origin
// has seen it answered. RFC 9111 4.4 wants invalidation of the caches on the request's way only; a
// fleet that looks like one cache has to do it everywhere. Told once, to all at the same time, and
// nobody waits for it: whoever cannot be reached keeps its copy for as long as that is fresh. What
// must be gone for certain is purged (edge/purge_spread).
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/metrics.hpp"
#include "common/net/client.hpp"
#include "edge/fleet/members.hpp"
#include "edge/fleet/peer_key.hpp"
#include "edge/peer_desk.hpp"

namespace relay::edge {

/// Where members take one another's letters, on the port of viewers.
inline constexpr std::string_view changes_target = "/-/changes";

class ChangeSpread final : public PeerDesk {
 public:
  /// `forget` makes invalid what is stored here under a primary key, from any thread. Everything
  /// outlives the io_context, which is a worker's of the server.
  ChangeSpread(net::asio::io_context& io, const fleet::Members& members, const fleet::PeerKey& key,
               std::function<void(const std::string& primary)> forget, Metrics& metrics);
  /// All but the member with that CDN-Loop entry. From any thread.
  void tell(std::vector<std::string> keys, std::string asker);
  /// On the worker.
  void stop();
  /// A member's letter. On any worker.
  net::Task<http::Response> answer(net::Exchange& exchange) override;

 private:
  /// What one member is still to be told; at most change_keys_bytes_max.
  struct Line {
    std::vector<std::string> keys;
    std::size_t bytes = 0;
    bool writing = false;  // one letter at a time: meanwhile keys gather for the next
  };
  void add(Line& line, const std::string& key);
  net::Task<void> write(fleet::Member member);
  net::Task<bool> send(const fleet::Member& member, std::vector<std::string> keys);

  net::asio::io_context& io_;
  net::Client client_;
  const fleet::Members& members_;
  const fleet::PeerKey& key_;
  const std::function<void(const std::string&)> forget_;
  Counter& told_;
  Counter& dropped_;
  bool stopping_ = false;
  std::map<std::string, Line, std::less<>> lines_;  // by member
};

}  // namespace relay::edge
