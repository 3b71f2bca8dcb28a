#include "edge/cache/expected.hpp"

#include "edge/cache/layout.hpp"

namespace relay::edge::cache {

void Expected::raise(std::uint64_t body_bytes) {
  if (!total_) return;
  std::uint64_t charge = charge_of(body_bytes, 0);
  total_->fetch_add(charge - std::exchange(charge_bytes_, charge), std::memory_order_relaxed);
}

}  // namespace relay::edge::cache
