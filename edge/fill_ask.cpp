// What a flight asks upstream: the whole, whether what is held is good still, or the rest of a body
// whose beginning is held.
#include "edge/cache_key.hpp"
#include "edge/fill.hpp"
#include "edge/part.hpp"

namespace relay::edge {
namespace {

/// Whether the stored response, with what the 304 says, may still be given to others, and to the
/// same ones.
bool stays_shared(const StoredResponse& stored, const FillRequest& request,
                  const Answered& not_modified) {
  StoredResponse merged = refresh(stored, not_modified.response.head().headers,
                                  not_modified.request_time, not_modified.response_time);
  std::vector<http::Field> fields = merged.fields();
  return may_store("GET", merged.status, request.viewer, fields).yes &&
         vary_names(fields) == stored.vary;
}

}  // namespace

net::Task<Result<Answered>> Fill::ask(EdgeWorker& worker, Flight& flight,
                                      const FillRequest& request) {
  auto rest = co_await ask_for_rest(worker, flight, request);
  if (!rest) co_return co_await ask_for_whole(worker, flight, request);
  auto answered = std::move(*rest);
  if (!answered) co_return answered;
  int status = answered->response.head().status;
  // One that may not be kept would be handed on as it is: a 206 that nobody asked for.
  bool of_use = answered->completed && why_unshared(request, *answered).empty();
  if (of_use || (status != 206 && status != 416)) co_return answered;
  co_return co_await ask_for_whole(worker, flight, request);
}

/// When a beginning is held here, or by a member that has offered it: for what is behind it.
/// Nothing when there is none of use.
net::Task<std::optional<Result<Answered>>> Fill::ask_for_rest(EdgeWorker& worker, Flight& flight,
                                                              const FillRequest& request) {
  if (request.part && request.part.object->can_be_read()) {
    std::uint64_t held = request.part.object->body_bytes();
    co_return co_await ask_behind(worker, flight, request, *request.part.stored, held, {});
  }
  auto beginning = flight.take_offer(beginning_bytes_min);
  if (!beginning || !may_take_beginnings(request, flight)) co_return std::nullopt;
  // A copy of the same version need only be confirmed.
  if (request.stale && request.stale.stored->etag == beginning->etag) co_return std::nullopt;
  co_return co_await ask_behind_offered(worker, flight, request, std::move(*beginning));
}

/// What is held counts only together with more of the same version; a 200 comes without it.
net::Task<Result<Answered>> Fill::ask_behind(EdgeWorker& worker, const Flight& flight,
                                             const FillRequest& request, const StoredResponse& part,
                                             std::uint64_t held, std::string holder) {
  net::ClientRequest asked = upstream_request(request, false);
  asked.headers.set("Range", "bytes=" + std::to_string(held) + "-");
  if (part.etag.starts_with('"')) asked.headers.set("If-Range", part.etag);
  auto answered = co_await upstream_.ask(worker.client, flight.key(), request.route,
                                         std::move(asked), {.holder = std::move(holder)});
  if (!answered || answered->response.head().status != 206) co_return answered;
  const http::Headers& headers = answered->response.head().headers;
  if (auto length = continues(headers, held, part.etag)) {
    answered->completed = Completed{{200, fields_of_whole(part, headers)}, *length};
  }
  co_return answered;
}

/// A 304 that speaks of another response than ours, or of one that was purged since it was found,
/// or that is not for others, is of no use: then ask for the whole.
net::Task<Result<Answered>> Fill::ask_for_whole(EdgeWorker& worker, const Flight& flight,
                                                const FillRequest& request) {
  bool conditional = static_cast<bool>(request.stale);
  auto first =
      co_await upstream_.ask(worker.client, flight.key(), request.route,
                             upstream_request(request, conditional), {}, request.long_poll);
  if (!first || !conditional || first->response.head().status != 304) co_return first;
  bool of_use = confirms(*request.stale.stored, first->response.head().headers) &&
                !is_dead(request.stale, purges_) &&
                stays_shared(*request.stale.stored, request, *first);
  if (of_use) co_return first;
  co_return co_await upstream_.ask(worker.client, flight.key(), request.route,
                                   upstream_request(request, false));
}

}  // namespace relay::edge
