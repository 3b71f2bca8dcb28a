// What an edge answers other members at a target of its own, on the port of viewers.
#pragma once

#include "common/http/message.hpp"
#include "common/net/handler.hpp"

namespace relay::edge {

class PeerDesk {
 public:
  virtual ~PeerDesk() = default;
  /// The whole answer; whoever asked for it signs it as an answer of this edge and sends it. On any
  /// worker.
  virtual net::Task<http::Response> answer(net::Exchange& exchange) = 0;
};

}  // namespace relay::edge
