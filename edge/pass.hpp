// Requests that the cache has no part in: forwarded as they are, answered as they come. What may
// change something upstream makes the stored copy invalid (RFC 9111 4.4).
#pragma once

#include "edge/deliver.hpp"
#include "edge/settings.hpp"
#include "edge/upstream.hpp"
#include "edge/visit.hpp"

namespace relay::edge {

/// A request body is held in memory while it is forwarded; uploads go to the origin itself.
inline constexpr std::size_t passed_body_bytes_max = 1 << 20;

class Pass {
 public:
  Pass(const Settings& settings, cache::Cache& cache, Upstream& upstream, Deliver& deliver)
      : settings_(settings), cache_(cache), upstream_(upstream), deliver_(deliver) {}

  net::Task<void> forward(Visit& visit);
  /// Sends an answer on as it arrives; a body that breaks off resets the client's connection.
  net::Task<void> hand_on(Visit& visit, Answered answered);
  /// 502 or 504, as the error says.
  net::Task<void> refuse(Visit& visit, const Error& error);

 private:
  net::Task<Result<std::string>> read_body(Visit& visit);
  void invalidate(const Visit& visit, int status);

  const Settings& settings_;
  cache::Cache& cache_;
  Upstream& upstream_;
  Deliver& deliver_;
};

}  // namespace relay::edge
