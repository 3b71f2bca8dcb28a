// One request on its way through the edge: what was asked, what was decided, what the log will
// say. Lives on its connection's thread, as long as its exchange.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.hpp"
#include "common/http/cache_control.hpp"
#include "common/http/trail.hpp"
#include "common/net/blocking.hpp"
#include "common/net/client.hpp"
#include "common/net/handler.hpp"
#include "edge/beginning.hpp"
#include "edge/fleet/hop.hpp"
#include "edge/freshness.hpp"

namespace relay::edge {

/// How a request was answered: one word for code, log and metrics.
enum class Outcome {
  hit,          // from the cache, fresh
  stale,        // from the cache, no longer fresh: beside a refresh, or because upstream failed
  revalidated,  // from the cache after upstream confirmed it
  miss,         // fetched for this request
  joined,       // from a flight that another request began
  pass,         // not for the cache: forwarded
  local,        // answered by the edge itself
  refused,      // not acceptable
  failed,       // upstream gave no usable answer
};
inline constexpr std::size_t outcome_count = 9;
std::string_view name(Outcome outcome);

/// What one worker thread owns.
struct EdgeWorker {
  explicit EdgeWorker(net::asio::io_context& io) : io(io), client(io) {}
  net::asio::io_context& io;
  net::Client client;
};

struct Visit {
  Visit(net::Exchange& exchange, EdgeWorker& worker)
      : exchange(exchange), worker(worker), request(exchange.request()) {}

  net::Exchange& exchange;
  EdgeWorker& worker;
  const http::RequestHead& request;
  SteadyTime begun = steady_now();
  WallTime now = wall_now();

  std::string primary_key;
  std::string target;             // what is asked upstream
  std::string key;                // of the object that answers: primary, or of a variant
  std::vector<std::string> vary;  // what the answer varies by, as a flight has just shown
  bool awaited_store = false;     // see Edge::stored_meanwhile
  bool outlasted = false;         // it has waited for upstream to answer again
  http::RequestDirectives rules;
  fleet::HopRoute route = fleet::HopRoute::peer_or_origin;
  std::optional<Beginning> beginning;  // that the asking member holds

  Outcome outcome = Outcome::local;
  http::CacheStatus trail;                           // this edge's entry of Cache-Status
  std::string upstream_trail;                        // the entries of the hops behind, oldest first
  std::shared_ptr<const http::Headers> own_fields;   // for this client only, never stored
  std::string detail;                                // for the log: why
  std::shared_ptr<const net::OnInterim> on_interim;  // see edge/interim
};

}  // namespace relay::edge
