// Looks after members: GET /-/health on the url of one that is down, each probe interval (Rules),
// until it answers 200; of one that still owes answers, so that a member which has stopped takes
// nobody with it; and now and then of all, so that few requests find one dead. Runs on one worker
// beside its connections.
#pragma once

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <memory>
#include <string_view>

#include "common/base/limits.hpp"
#include "common/net/client.hpp"
#include "common/net/task.hpp"
#include "edge/fleet/members.hpp"
#include "edge/fleet/peer_key.hpp"

namespace relay::edge::fleet {

/// What members are asked; any edge answers it with 200 while it serves.
inline constexpr std::string_view health_target = "/-/health";

/// Asks the member how it is, with `wait` for the connection and as long again for the answer, and
/// tells `members`: a 200 brings it back, anything else takes it down, unless it was neither asked
/// nor met before: it may not have begun. One probe at a time.
/// A member tells its figures to whom it knows: by `key`, where the fleet has one.
net::Task<void> probe(net::Client& client, Members& members, Peer peer,
                      std::chrono::milliseconds wait, const PeerKey* key = nullptr);

class Prober {
 public:
  /// Each so many intervals those are asked too that are up and owe nothing.
  static constexpr int calm_intervals = 5;
  /// `members` and `key` outlive the io_context.
  Prober(net::asio::io_context& io, Members& members,
         std::chrono::milliseconds wait = limits::connect_wait, const PeerKey* key = nullptr);
  ~Prober();
  /// Begins; call once, on or before the io_context's thread runs.
  void start();
  /// On the io_context's thread: goes round at once, and then at the interval that members.rules
  /// have by now.
  void hurry();
  /// On the io_context's thread: ends soon, so that its run() can return.
  void stop();

  struct State;

 private:
  std::shared_ptr<State> state_;  // shared with the coroutine
};

}  // namespace relay::edge::fleet
