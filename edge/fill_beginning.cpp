// A body whose beginning another member holds (edge/beginning): its bytes come from there, those
// behind them from the origin.
#include <fmt/format.h>

#include "common/http/conditional.hpp"
#include "edge/fill.hpp"
#include "edge/part.hpp"

namespace relay::edge {

/// Of what was purged a member may not have heard.
bool Fill::may_take_beginnings(const FillRequest& request, const Flight& flight) const {
  bool by_members = request.route == fleet::HopRoute::peer_or_origin ||
                    request.route == fleet::HopRoute::owner_or_origin;
  return by_members && !flight.disowned();
}

/// From its byte `first` on. Nothing when the member does not hold it any more.
net::Task<std::optional<Fill::Held>> Fill::ask_holder(EdgeWorker& worker,
                                                      const FillRequest& request,
                                                      const Beginning& beginning,
                                                      std::uint64_t first) {
  http::ByteRange range{first, beginning.bytes - 1};
  net::ClientRequest asked = upstream_request(request, false);
  asked.headers.set("Range", fmt::format("bytes={}-{}", range.first, range.last));
  asked.headers.set("If-Range", beginning.etag);
  // What it asked has led to this, but it is not to come back to it as a loop.
  asked.headers.set("CDN-Loop", fleet::loop_name(settings_.name));
  auto answered = co_await upstream_.ask_holder(worker.client, beginning.member, std::move(asked));
  if (!answered) co_return std::nullopt;
  const net::ClientResponse& response = answered->response;
  auto length = brings(response.head(), response.framing(), range, beginning.etag);
  if (!length) co_return std::nullopt;
  co_return Held{std::move(*answered), *length};
}

/// The origin has the last word: only when it gives the rest of that version is the beginning read.
net::Task<std::optional<Result<Answered>>> Fill::ask_behind_offered(EdgeWorker& worker,
                                                                    const Flight& flight,
                                                                    const FillRequest& request,
                                                                    Beginning beginning) {
  auto held = co_await ask_holder(worker, request, beginning, 0);
  if (!held) co_return std::nullopt;
  const Answered& by_holder = held->answered;
  StoredResponse part = make_stored(206, by_holder.response.head().headers, by_holder.request_time,
                                    by_holder.response_time);
  auto answered =
      co_await ask_behind(worker, flight, request, part, beginning.bytes, beginning.member);
  if (!answered || !answered->completed) co_return answered;
  if (answered->completed->length != held->length) {
    answered->completed.reset();
    co_return answered;
  }
  beginnings_.add();
  answered->before = std::make_unique<Answered>(std::move(held->answered));
  co_return answered;
}

/// A member that came later holds more of the body than has come from the origin: what lies between
/// is read from there, and the origin is asked for what is behind. Unless both agree all stays as
/// it is.
net::Task<void> Fill::skip_ahead(EdgeWorker& worker, Flight& flight, const FillRequest& request,
                                 Answered& answered, Beginning beginning) {
  FlightView view = flight.view();
  bool fits = may_take_beginnings(request, flight) && view.length && view.stored->status == 200 &&
              beginning.bytes < *view.length &&
              http::same_strongly(beginning.etag, view.stored->etag);
  if (!fits) co_return;
  auto held = co_await ask_holder(worker, request, beginning, view.received);
  if (!held || held->length != *view.length) co_return;
  net::ClientRequest asked = upstream_request(request, false);
  asked.headers.set("Range", fmt::format("bytes={}-", beginning.bytes));
  asked.headers.set("If-Range", beginning.etag);
  auto rest = co_await upstream_.ask(worker.client, flight.key(), fleet::HopRoute::origin_only,
                                     std::move(asked));
  if (!rest || rest->response.head().status != 206) co_return;
  const http::Headers& headers = rest->response.head().headers;
  if (continues(headers, beginning.bytes, beginning.etag) != view.length) co_return;
  beginnings_.add();
  answered.response = std::move(rest->response);
  answered.before = std::make_unique<Answered>(std::move(held->answered));
}

net::Task<Result<std::size_t>> Fill::read_next(Answered& answered, std::span<char> room) {
  if (answered.before && answered.before->response.complete()) answered.before.reset();
  if (answered.before) co_return co_await answered.before->response.read(room);
  co_return co_await answered.response.read(room);
}

}  // namespace relay::edge
