// The origin's front door: every request of the public port, from its path to the room that
// answers it, with one count and one log line each.
#pragma once

#include <string>
#include <string_view>

#include "common/base/clock.hpp"
#include "common/base/metrics.hpp"
#include "common/net/handler.hpp"
#include "origin/api.hpp"
#include "origin/delivery.hpp"

namespace relay::origin {

class Origin final : public net::Handler {
 public:
  Origin(Api& api, const Delivery& delivery, Metrics& metrics);

  net::Task<void> handle(net::Exchange& exchange) override;
  void refused(const http::Refusal& refusal, const std::string& peer) override;

 private:
  net::Task<void> route(net::Exchange& exchange);
  void count(const net::Exchange& exchange, SteadyTime begun);
  void count_status(int status);

  Api& api_;
  const Delivery& delivery_;
  Counter* by_class_[6];  // by the status's first digit; 0: no answer
  Counter& body_bytes_;
  Histogram& seconds_;
};

}  // namespace relay::origin
