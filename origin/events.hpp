// State changes as server-sent events, to any number of subscribers on any worker. The newest
// events are kept in one bounded list; each subscriber remembers how far it has read, so a slow
// one costs no memory: when it falls out of the list its stream ends, and it comes back with
// Last-Event-ID to be served from the catalog's log.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/metrics.hpp"
#include "common/net/broadcast.hpp"
#include "common/net/handler.hpp"
#include "origin/catalog.hpp"

namespace relay::origin {

/// "id: 7\nevent: asset\ndata: {…}\n\n"; without id when the event is not in the log. Pure.
std::string to_wire(const Event& event);

class Events {
 public:
  /// Subscribes to the catalog, which outlives it.
  Events(Catalog& catalog, Metrics& metrics);

  /// Answers with the events of one tenant until the client goes, falls behind or the origin
  /// stops. `after` is the Last-Event-ID: what the log holds behind it comes first.
  net::Task<void> stream(net::Exchange& exchange, std::string tenant,
                         std::optional<std::uint64_t> after);

  /// Comments that keep idle streams alive; runs until stop().
  net::Task<void> run_heartbeat();
  /// Ends all streams.
  void stop();

 private:
  void publish(const Event& event);
  struct Batch {
    std::vector<std::shared_ptr<const Event>> events;
    bool lost = false;
  };
  std::uint64_t position() const;
  Batch read(std::uint64_t& position) const;
  net::Task<Result<void>> replay(net::Exchange& exchange, const std::string& tenant,
                                 std::uint64_t after, std::uint64_t& sent);
  net::Task<Result<void>> follow(net::Exchange& exchange, const std::string& tenant,
                                 std::uint64_t position, std::uint64_t sent);

  const Catalog& catalog_;
  Gauge& subscribers_;
  net::Broadcast changed_;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;  // guards newest_, first_ and cancel_heartbeat_
  std::deque<std::shared_ptr<const Event>> newest_;
  std::uint64_t first_ = 0;  // position of newest_.front()
  std::move_only_function<void()> cancel_heartbeat_;
};

}  // namespace relay::origin
