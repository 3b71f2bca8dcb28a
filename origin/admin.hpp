// The operators' port: /metrics, /healthz (the process lives), /readyz (it takes requests).
#pragma once

#include <atomic>

#include "common/base/metrics.hpp"
#include "common/net/blocking.hpp"
#include "common/net/handler.hpp"
#include "origin/catalog.hpp"
#include "origin/segment_store.hpp"

namespace relay::origin {

class Admin final : public net::Handler {
 public:
  Admin(const Catalog& catalog, const SegmentStore& store, net::Blocking& blocking,
        Metrics& metrics);
  net::Task<void> handle(net::Exchange& exchange) override;
  void set_draining() { draining_ = true; }

 private:
  http::Response answer(std::string_view path);
  http::Response ready();

  const Catalog& catalog_;
  const SegmentStore& store_;
  net::Blocking& blocking_;
  Metrics& metrics_;
  Gauge& free_bytes_;
  std::atomic<bool> draining_{false};
};

}  // namespace relay::origin
