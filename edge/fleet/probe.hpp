// Brings members back: while one is down, GET /-/health on its url each probe interval, and up it
// is at the first 200. Runs on one worker beside its connections.
#pragma once

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <memory>
#include <string_view>

#include "common/net/client.hpp"
#include "common/net/task.hpp"
#include "edge/fleet/members.hpp"

namespace relay::edge::fleet {

/// What members are asked; any edge answers it with 200 while it serves.
inline constexpr std::string_view health_target = "/-/health";

class Prober {
 public:
  /// `members` outlives the io_context.
  Prober(net::asio::io_context& io, Members& members, std::chrono::milliseconds interval);
  ~Prober();
  /// Begins; call once, on or before the io_context's thread runs.
  void start();
  /// On the io_context's thread: ends soon, so that its run() can return.
  void stop();

  struct State;

 private:
  std::shared_ptr<State> state_;  // shared with the coroutine
};

}  // namespace relay::edge::fleet
