#include "edge/slice_drop.hpp"

#include <algorithm>

#include "edge/slicing.hpp"

namespace relay::edge {
namespace {

constexpr std::uint64_t slices_a_step = 512;  // well under a millisecond

}  // namespace

net::Task<void> drop_slices(cache::Cache& cache, std::string key, StoredPtr stored,
                            std::uint64_t slice_bytes) {
  auto executor = co_await net::asio::this_coro::executor;
  std::uint64_t count = std::min(slice_count(*stored, slice_bytes), slices_max);
  for (std::uint64_t number = 0; number < count; ++number) {
    if (number % slices_a_step == slices_a_step - 1) {
      co_await net::asio::post(executor, net::asio::use_awaitable_t<net::Executor>{});
    }
    cache::Pin slice = cache.peek(slice_key(key, *stored, slice_bytes, number));
    if (slice) cache.remove(slice);
  }
}

}  // namespace relay::edge
