#include "edge/store_wait.hpp"

#include <algorithm>
#include <functional>
#include <memory>
#include <utility>

#include "common/base/limits.hpp"
#include "common/net/timer.hpp"

namespace relay::edge {
namespace {

/// For another thread. Counts as work of the timer's own until it has run.
std::function<void()> cancelling(std::shared_ptr<net::Timer> timer) {
  auto executor =
      net::asio::prefer(timer->get_executor(), net::asio::execution::outstanding_work.tracked);
  return [executor, timer = std::move(timer)]() mutable {
    net::asio::post(executor, [timer = std::move(timer)] { timer->cancel(); });
  };
}

}  // namespace

net::Task<bool> store_answered(cache::Cache& cache, std::vector<std::string> keys) {
  auto under_way = [&](const std::string& key) { return cache.is_storing(key); };
  if (cache.failing() || std::ranges::none_of(keys, under_way)) co_return false;
  auto executor = co_await net::asio::this_coro::executor;
  auto limit = std::make_shared<net::Timer>(executor, limits::store_wait);
  cache.when_answered(cancelling(limit));
  auto [cancelled] = co_await limit->async_wait(net::use_result);
  co_return static_cast<bool>(cancelled);
}

}  // namespace relay::edge
