// The admin port: metrics, health, purge, and what the fleet and the cache look like from here.
// Listens on loopback unless the config says otherwise; there are no keys here.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "common/base/metrics.hpp"
#include "common/base/shared_value.hpp"
#include "common/net/blocking.hpp"
#include "common/net/handler.hpp"
#include "edge/edge.hpp"
#include "edge/fleet_bus.hpp"
#include "edge/live_settings.hpp"
#include "edge/purge_spread.hpp"

namespace relay::edge {

class Admin final : public net::Handler {
 public:
  Admin(const Settings& settings, Edge& edge, cache::Cache& cache, fleet::Members& members,
        net::Blocking& blocking, Metrics& metrics);
  net::Task<void> handle(net::Exchange& exchange) override;
  /// Who carries purges through the fleet. Before the server runs; outlives it.
  void set_spread(PurgeSpread& spread) { spread_ = &spread; }
  /// Where the members come from; null: from the config. As set_spread().
  void set_bus(const FleetBus* bus) { bus_ = bus; }
  /// The settings in force. Thread-safe; before the server runs once.
  void show(std::vector<LiveSetting> settings) {
    live_.store(std::make_shared<const std::vector<LiveSetting>>(std::move(settings)));
  }
  /// From now on /readyz says no, so that a balancer looks elsewhere while the rest drains.
  void set_draining() { draining_.store(true); }

 private:
  http::Response metrics();
  http::Response ready() const;
  http::Response fleet() const;
  http::Response cache() const;
  net::Task<http::Response> purge(net::Exchange& exchange);
  net::Task<http::Response> purge_here(Purge purge);
  net::Task<http::Response> purge_fleet(Purge purge);

  const Settings& settings_;
  Edge& edge_;
  cache::Cache& cache_;
  fleet::Members& members_;
  net::Blocking& blocking_;
  Metrics& metrics_;
  Gauge& flights_;
  Gauge& flight_bytes_;
  Counter& purges_;
  PurgeSpread* spread_ = nullptr;
  const FleetBus* bus_ = nullptr;
  SharedValue<const std::vector<LiveSetting>> live_;
  std::atomic<bool> draining_{false};
};

}  // namespace relay::edge
