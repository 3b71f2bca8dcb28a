#include "origin/admin.hpp"

#include <string>
#include <utility>

#include "common/http/problem.hpp"
#include "common/http/url.hpp"

namespace relay::origin {
namespace {

http::Response text_answer(int status, std::string text) {
  http::Response response{status, {}, std::move(text)};
  response.headers.add("Content-Type", "text/plain; charset=utf-8");
  response.headers.add("Cache-Control", "no-store");
  return response;
}

}  // namespace

Admin::Admin(const Catalog& catalog, const SegmentStore& store, net::Blocking& blocking,
             Metrics& metrics)
    : catalog_(catalog),
      store_(store),
      blocking_(blocking),
      metrics_(metrics),
      free_bytes_(metrics.gauge("origin_disk_free_bytes", "Free space where the state lies.")) {
}

net::Task<void> Admin::handle(net::Exchange& exchange) {
  const http::RequestHead& request = exchange.request();
  if (request.method != "GET" && request.method != "HEAD") {
    co_await exchange.respond(
        http::method_not_allowed("GET, HEAD", "the admin port is read with GET and HEAD"));
    co_return;
  }
  std::string path(http::split_target(request.target).path);
  auto job = [&] { return answer(path); };  // asks the disk
  auto response = co_await net::run_blocking(blocking_, job);
  co_await exchange.respond(std::move(response));
}

http::Response Admin::answer(std::string_view path) {
  if (path == "/healthz") return text_answer(200, "alive\n");
  if (path == "/readyz") return ready();
  if (path != "/metrics") return http::problem(404, "here are /metrics, /healthz and /readyz");
  if (auto free = store_.free_bytes()) free_bytes_.set(static_cast<std::int64_t>(*free));
  http::Response response = text_answer(200, metrics_.exposition());
  response.headers.set("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
  return response;
}

http::Response Admin::ready() {
  if (draining_) return text_answer(503, "stopping\n");
  if (auto readable = catalog_.log_reaches(0); !readable) {
    return text_answer(503, "the catalog can't be read\n");
  }
  return text_answer(200, "ready\n");
}

}  // namespace relay::origin
