// A body that broke off in the middle of its flight goes on from somebody else.
#include "edge/fill.hpp"
#include "edge/part.hpp"
#include "edge/slicing.hpp"

namespace relay::edge {
namespace {

/// Whether another answer may go on with the body. One without a length may have been coded on its
/// way: a range is of the plain one then, and neither a date nor a length would show that.
bool may_go_on(const FlightView& view, const http::Headers& head) {
  bool pinned = view.stored->status == 200 && pins_version(head);
  return pinned && (view.length || (head.find("ETag") && !head.find("Content-Encoding")));
}

}  // namespace

/// Goes on where the body broke off, under a validator that pins its version. When a member broke
/// off its successor is asked: everybody who waits elsewhere asks the same one, so that the rest is
/// fetched once, and tells it what is held here. The origin is the last to be asked.
net::Task<Result<void>> Fill::resume(EdgeWorker& worker, Flight& flight, const FillRequest& request,
                                     Answered& answered) {
  FlightView view = flight.view();
  const StoredResponse& whole = *view.stored;
  auto refuse = [] { return fail(ErrorKind::aborted, ErrorSource::upstream, "cannot resume"); };
  if (!may_go_on(view, answered.head().headers)) co_return refuse();
  auto asked = upstream_request(request, false);
  asked.headers.set("Range", "bytes=" + std::to_string(view.received) + "-");
  asked.headers.set("If-Range", std::string(pinned_validator(whole)));
  ForRest told{answered.by_peer ? answered.asked : std::string(), {}};
  bool offers = view.length && view.received >= beginning_bytes_min && !flight.disowned();
  if (offers) told.holder = settings_.name;
  for (auto route : {request.route, fleet::HopRoute::origin_only}) {
    bool goes_on = answered.by_peer || route == fleet::HopRoute::origin_only;
    if (!goes_on) continue;
    auto rest = co_await upstream_.ask(worker.client, flight.key(), route, asked, told);
    if (!rest || rest->response.head().status != 206) continue;
    const http::Headers& headers = rest->response.head().headers;
    if (!shows_pinned_version(whole, headers)) continue;
    auto length = reaches_end(headers, view.received);
    if (!length || (view.length ? length != view.length : !has_room(view.received, *length)))
      continue;
    if (!view.length) flight.know_length(*length);
    resumed_.add();
    answered.response = std::move(rest->response);
    answered.before.reset();
    answered.by_peer = rest->by_peer;
    answered.asked = std::move(rest->asked);
    answered.under_way = std::move(rest->under_way);
    co_return Result<void>{};
  }
  co_return refuse();
}

/// For the rest of a body that turns out to have that length.
bool Fill::has_room(std::uint64_t received, std::uint64_t length) const {
  return length <= settings_.object_bytes_max && memory_.has_room(length - received);
}

}  // namespace relay::edge
