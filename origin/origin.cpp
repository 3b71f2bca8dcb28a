#include "origin/origin.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/base/log.hpp"
#include "common/http/problem.hpp"
#include "common/http/url.hpp"
#include "origin/web/pages.hpp"

namespace relay::origin {

Origin::Origin(Api& api, const Delivery& delivery, Metrics& metrics)
    : api_(api),
      delivery_(delivery),
      body_bytes_(metrics.counter("origin_response_bytes_total", "Body bytes sent.")),
      seconds_(metrics.histogram("origin_request_seconds", "From head to end of the answer.")) {
  constexpr std::string_view classes[] = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
  for (std::size_t i = 0; i < std::size(classes); ++i) {
    by_class_[i] = &metrics.counter("origin_responses_total", "Answers, by class of status.",
                                    fmt::format("class=\"{}\"", classes[i]));
  }
}

net::Task<void> Origin::handle(net::Exchange& exchange) {
  SteadyTime begun = steady_now();
  co_await route(exchange);
  count(exchange, begun);
}

net::Task<void> Origin::route(net::Exchange& exchange) {
  http::Target target = http::split_target(exchange.request().target);
  auto path = http::normalise_path(target.path);
  if (!path) {
    co_await exchange.respond(http::problem_of(path.error()));
    co_return;
  }
  if (path->starts_with(Api::prefix)) {
    co_await api_.answer(exchange, std::move(*path), std::string(target.query));
    co_return;
  }
  auto has_asset = [&] { return delivery_.has_asset(*path); };
  if (auto page = web::page(exchange.request(), has_asset)) {
    co_await exchange.respond(std::move(*page));
    co_return;
  }
  co_await delivery_.answer(exchange, std::move(*path));
}

void Origin::count(const net::Exchange& exchange, SteadyTime begun) {
  double seconds = std::chrono::duration<double>(steady_now() - begun).count();
  count_status(exchange.status());
  body_bytes_.add(exchange.body_bytes_sent());
  seconds_.observe(seconds);
  const http::RequestHead& request = exchange.request();
  log::debug("request", {log::kv("peer", exchange.peer()), log::kv("method", request.method),
                         log::kv("target", request.target), log::kv("status", exchange.status()),
                         log::kv("bytes", exchange.body_bytes_sent()),
                         log::kv("complete", exchange.complete()), log::kv("ms", seconds * 1000)});
}

void Origin::refused(const http::Refusal& refusal, const std::string& peer) {
  count_status(refusal.status);
  log::debug("request refused", {log::kv("peer", peer), log::kv("status", refusal.status),
                                 log::kv("why", refusal.reason)});
}

void Origin::count_status(int status) {
  by_class_[static_cast<std::size_t>(std::clamp(status / 100, 0, 5))]->add();
}

}  // namespace relay::origin
