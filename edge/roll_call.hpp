// What an edge says of itself to the other members, and hears from them, at targets of its own:
//   GET  /-/health        200 while it serves, 503 once it leaves; to a member with its figures
//   POST /-/leaving/NAME  the member of that name leaves: it gets no new keys from now on
// Thread-safe, but for leave().
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string_view>

#include "common/http/message.hpp"
#include "common/net/client.hpp"
#include "common/net/handler.hpp"
#include "common/net/task.hpp"
#include "edge/fleet/figures.hpp"
#include "edge/fleet/members.hpp"
#include "edge/fleet/peer_key.hpp"

namespace relay::edge {

inline constexpr std::string_view leaving_target = "/-/leaving/";

class RollCall {
 public:
  /// `members` and `key` outlive it.
  RollCall(fleet::Members& members, const fleet::PeerKey& key,
           std::function<fleet::Figures()> figures)
      : members_(members), key_(key), figures_(std::move(figures)) {}

  /// The answer to a request for one of its targets; nullopt: not its to answer.
  std::optional<http::Response> answer(const net::Exchange& exchange);

  /// Says that this edge leaves: in its health answers from now on, and to every member that is up.
  /// Ends once they have heard it and what they had sent before is here, in a second at most.
  net::Task<void> leave(net::asio::io_context& io);

 private:
  http::Response health(const net::Exchange& exchange) const;
  http::Response take_leaving(const net::Exchange& exchange, std::string_view name);
  /// fleet::check_member().
  bool is_member(const net::Exchange& exchange) const;

  fleet::Members& members_;
  const fleet::PeerKey& key_;
  const std::function<fleet::Figures()> figures_;
  std::atomic<bool> leaving_{false};
};

}  // namespace relay::edge
