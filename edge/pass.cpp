#include "edge/pass.hpp"

#include <charconv>
#include <vector>

#include "common/http/problem.hpp"
#include "edge/cache_key.hpp"
#include "edge/freshness.hpp"

namespace relay::edge {
namespace {

constexpr std::size_t copy_buffer_bytes = 64 * 1024;

std::optional<std::uint64_t> content_length(const http::Headers& headers) {
  auto text = headers.find("Content-Length");
  std::uint64_t length = 0;
  if (!text ||
      std::from_chars(text->data(), text->data() + text->size(), length).ec != std::errc{}) {
    return std::nullopt;
  }
  return length;
}

}  // namespace

net::Task<Result<std::string>> Pass::read_body(Visit& visit) {
  std::string body;
  std::vector<char> buffer(copy_buffer_bytes);
  while (true) {
    auto n = co_await visit.exchange.read_body(buffer);
    if (!n) co_return std::unexpected(n.error());
    if (*n == 0) co_return body;
    if (body.size() + *n > passed_body_bytes_max) {
      co_return fail(ErrorKind::too_large, ErrorSource::client,
                     "an edge forwards bodies of at most 1 MiB; upload to the origin itself");
    }
    body.append(buffer.data(), *n);
  }
}

net::Task<void> Pass::forward(Visit& visit) {
  visit.outcome = Outcome::pass;
  bool safe = visit.request.method == "GET" || visit.request.method == "HEAD";
  net::ClientRequest asked{
      std::string(visit.request.method), visit.target, http::end_to_end(visit.request.fields), {}};
  asked.headers.remove("Host");
  asked.headers.remove("Content-Length");
  asked.headers.remove("Expect");
  if (!safe) {  // a body on GET or HEAD is never forwarded
    auto body = co_await read_body(visit);
    if (!body) {
      co_await refuse(visit, body.error());
      co_return;
    }
    asked.body = std::move(*body);
  }
  http::append_cdn_loop(asked.headers, fleet::loop_name(settings_.name));
  http::append_via(asked.headers, visit.request.minor_version, settings_.name);
  // What is not cached has no owner: straight to the origin.
  auto answered = co_await upstream_.ask(visit.worker.client, visit.primary_key,
                                         fleet::HopRoute::origin_only, std::move(asked));
  if (!answered) {
    co_await refuse(visit, answered.error());
    co_return;
  }
  invalidate(visit, answered->response.head().status);
  co_await hand_on(visit, std::move(*answered));
}

void Pass::invalidate(const Visit& visit, int status) {
  if (!invalidates(visit.request.method, status)) return;
  std::string primary = visit.primary_key;
  auto object = cache_.find(primary);
  if (!object) return;
  auto stored = decode(object->head());
  if (stored && stored->kind == StoredKind::variants) {
    cache_.remove_if([primary](std::string_view key) { return primary_of(key) == primary; }, [] {});
  } else {
    cache_.remove(primary, [] {});
  }
}

net::Task<void> Pass::hand_on(Visit& visit, Answered answered) {
  const http::ResponseHead& came = answered.response.head();
  visit.trail.forward_status = came.status;
  http::ResponseHead head{came.status, http::end_to_end(came.headers)};
  std::optional<std::uint64_t> length = content_length(came.headers);
  if (answered.response.framing().kind != http::BodyKind::length &&
      visit.request.method != "HEAD") {
    length = std::nullopt;
    if (answered.response.framing().kind == http::BodyKind::none) length = 0;
  }
  head.headers.remove("Content-Length");
  deliver_.add_hop_fields(visit, head.headers);
  auto begun = co_await visit.exchange.begin(std::move(head), length);
  if (!begun) co_return;
  std::vector<char> buffer(copy_buffer_bytes);
  while (!answered.response.complete()) {
    auto n = co_await answered.response.read(buffer);
    if (!n) {
      visit.detail = n.error().message;
      visit.exchange.abort();
      co_return;
    }
    auto sent = co_await visit.exchange.write({buffer.data(), *n});
    if (!sent) co_return;
  }
  co_await visit.exchange.finish();
}

net::Task<void> Pass::refuse(Visit& visit, const Error& error) {
  visit.outcome = error.source == ErrorSource::client ? Outcome::refused : Outcome::failed;
  visit.detail = error.message;
  auto response = http::problem_of(error);
  deliver_.add_hop_fields(visit, response.headers);
  co_await visit.exchange.respond(std::move(response));
}

}  // namespace relay::edge
