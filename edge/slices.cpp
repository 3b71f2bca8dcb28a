#include "edge/slices.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "common/base/log.hpp"
#include "edge/answer.hpp"
#include "edge/slice_drop.hpp"

namespace relay::edge {
namespace {

// A slice that breaks off is gone on with so many times.
constexpr int slice_resumes_max = 2;
constexpr std::size_t unshared_buffer_bytes = 64 * 1024;
// How long an upstream that turned out to do no ranges is not asked for them again.
constexpr std::chrono::milliseconds no_ranges_memory{600'000};

std::unexpected<Error> other_version() {
  return fail(ErrorKind::conflict, ErrorSource::upstream, "the body has another version by now");
}

}  // namespace

/// The bytes of one answer, in order.
class Slices::Reader final : public Deliver::Source {
 public:
  Reader(Slices& slices, EdgeWorker& worker, SlicedBodyPtr body)
      : slices_(slices), worker_(worker), body_(std::move(body)) {}

  std::string_view ready(std::uint64_t, std::uint64_t) override { return {}; }

  /// The slice of the first byte, before anything is sent. `hit` tells whether it was stored.
  net::Task<Result<void>> prepare(std::uint64_t offset, bool& hit) {
    number_ = offset / slices_.settings_.slice_bytes;
    auto slice = co_await take(number_);
    if (!slice) co_return std::unexpected(slice.error());
    current_ = std::move(*slice);
    hit = current_.object != nullptr;
    co_return Result<void>{};
  }

  net::Task<Result<void>> send(net::Exchange& exchange, std::uint64_t offset,
                               std::uint64_t length) override {
    std::uint64_t slice_bytes = slices_.settings_.slice_bytes;
    while (length > 0) {
      std::uint64_t number = offset / slice_bytes;
      std::uint64_t within = offset % slice_bytes;
      std::uint64_t bytes = std::min(length, slice_bytes - within);
      if (number != number_ || !current_.at_hand()) {
        auto slice = co_await take(number);
        if (!slice) co_return std::unexpected(slice.error());
        current_ = std::move(*slice);
        number_ = number;
      }
      if (bytes < length) {
        auto ahead = co_await slices_.open(worker_, body_, number + 1);
        ahead_ = ahead ? std::move(*ahead) : Slice{};  // else asked for again in its turn
        ahead_number_ = number + 1;
      }
      auto sent = co_await send_current(exchange, within, bytes);
      if (!sent) co_return sent;
      offset += bytes;
      length -= bytes;
    }
    co_return Result<void>{};
  }

 private:
  /// Waits until the head of the slice is known. One that was fetched ahead and failed is asked
  /// for once more. A slice that is not at hand has no room in memory: it goes unshared.
  net::Task<Result<Slice>> take(std::uint64_t number) {
    Error last;
    for (int attempt = 0; attempt < 2; ++attempt) {
      bool fetched_ahead = ahead_number_ == number && ahead_.at_hand();
      Result<Slice> slice = std::exchange(ahead_, {});
      if (!fetched_ahead) slice = co_await slices_.open(worker_, body_, number);
      if (!slice || !slice->flight) co_return slice;
      FlightView view = co_await head_of(*slice->flight);
      if (view.state == FlightState::found) co_return Slice{view.object, nullptr};
      if (view.state != FlightState::failed || view.stored) co_return slice;
      last = *view.error;
      if (last.kind == ErrorKind::conflict) break;
    }
    co_return std::unexpected(std::move(last));
  }

  static net::Task<FlightView> head_of(Flight& flight) {
    while (true) {
      std::uint64_t version = flight.changed().version();
      FlightView view = flight.view();
      if (view.state != FlightState::asking) co_return view;
      co_await flight.changed().wait(version);
    }
  }

  net::Task<Result<void>> send_current(net::Exchange& exchange, std::uint64_t within,
                                       std::uint64_t bytes) {
    if (current_.object) return slices_.deliver_.send(exchange, *current_.object, within, bytes);
    if (current_.flight) return slices_.deliver_.send(exchange, *current_.flight, within, bytes);
    std::uint64_t first = number_ * slices_.settings_.slice_bytes + within;
    return slices_.send_unshared(worker_, exchange, *body_, {first, first + bytes - 1});
  }

  Slices& slices_;
  EdgeWorker& worker_;
  SlicedBodyPtr body_;
  Slice current_, ahead_;
  std::uint64_t number_ = 0, ahead_number_ = 0;
};

Slices::Slices(const Settings& settings, cache::Cache& cache, const Lookup& lookup,
               FlightTable& flights, FlightMemory& memory, const PurgeLog& purges,
               Upstream& upstream, Deliver& deliver, const Fill& fill, Metrics& metrics)
    : settings_(settings),
      cache_(cache),
      lookup_(lookup),
      flights_(flights),
      memory_(memory),
      purges_(purges),
      upstream_(upstream),
      deliver_(deliver),
      fill_(fill),
      from_cache_(metrics.counter("relay_edge_slices_total",
                                  "slices of large bodies, by where they came from",
                                  "from=\"cache\"")),
      from_flight_(metrics.counter("relay_edge_slices_total", "", "from=\"flight\"")),
      from_upstream_(metrics.counter("relay_edge_slices_total", "", "from=\"upstream\"")),
      unshared_(metrics.counter("relay_edge_slices_total", "", "from=\"unshared\"")),
      changed_(metrics.counter("relay_edge_slices_changed_total",
                               "large bodies that changed while they were read")) {
}

SlicedBodyPtr Slices::body_of(std::string key, StoredPtr stored, FillRequest request) const {
  return std::make_shared<const SlicedBody>(
      SlicedBody{std::move(key), std::move(stored), std::move(request)});
}

net::Task<bool> Slices::holds(Visit& visit, std::string key, StoredPtr stored) const {
  std::uint64_t slice_bytes = settings_.slice_bytes;
  auto ranges = plan_answer(visit.request, *stored, stored->sliced_bytes).ranges;
  if (ranges.empty()) ranges.push_back({0, stored->sliced_bytes - 1});
  for (http::ByteRange range : ranges) {
    for (auto number = range.first / slice_bytes; number <= range.last / slice_bytes; ++number) {
      std::string each = slice_key(key, *stored, slice_bytes, number);
      Found slice = co_await lookup_.find(std::move(each));
      if (!slice) co_return false;
    }
  }
  co_return true;
}

net::Task<Result<void>> Slices::serve(Visit& visit, SlicedBodyPtr body) {
  std::uint64_t length = body->stored->sliced_bytes;
  AnswerPlan plan = plan_answer(visit.request, *body->stored, length);
  bool with_body = visit.request.method != "HEAD" && body_length_of(plan, *body->stored, length);
  Reader reader(*this, visit.worker, body);
  if (with_body) {
    std::uint64_t first = plan.ranges.empty() ? 0 : plan.ranges.front().first;
    bool hit = false;
    auto prepared = co_await reader.prepare(first, hit);
    if (!prepared) {
      visit.detail = prepared.error().message;
      co_return std::unexpected(prepared.error());
    }
    if (!hit && visit.trail.hit) {
      visit.outcome = Outcome::miss;
      visit.trail.hit = false;
      visit.trail.forward = http::Forward::partial;
    }
  }
  co_await deliver_.from(visit, *body->stored, length, reader);
  co_return Result<void>{};
}

/// Not at hand: the memory for flights is used up. An error: too many wait for it already.
net::Task<Result<Slices::Slice>> Slices::open(EdgeWorker& worker, const SlicedBodyPtr& body,
                                              std::uint64_t number) {
  std::string key = slice_key(body->key, *body->stored, settings_.slice_bytes, number);
  Found found = co_await lookup_.find(key);
  if (found) {
    from_cache_.add();
    co_return Slice{std::move(found.object), nullptr};
  }
  auto range = slice_range(*body->stored, settings_.slice_bytes, number);
  if (!memory_.has_room(range.length())) co_return Slice{};
  auto joined = flights_.join(key, purges_.sequence(), memory_);
  if (!joined.flight) co_return std::unexpected(too_many_wait());
  if (!joined.leader) {
    from_flight_.add();
    co_return Slice{nullptr, std::move(joined.flight)};
  }
  // A flight that ended between the look and the join left its slice in the cache.
  Found again = co_await lookup_.find(key);
  if (again) {
    flights_.leave(*joined.flight);
    joined.flight->find(again.object);
  } else {
    joined.flight->reserve(range.length());
    net::spawn(worker.io, fetch(worker, joined.flight, body, number));
  }
  co_return Slice{nullptr, std::move(joined.flight)};
}

net::Task<Result<Answered>> Slices::ask(EdgeWorker& worker, const SlicedBody& body,
                                        http::ByteRange range) {
  net::ClientRequest asked = fill_.upstream_request(body.request, false);
  asked.headers.set("Range",
                    "bytes=" + std::to_string(range.first) + "-" + std::to_string(range.last));
  asked.headers.set("If-Range", pinned_validator(*body.stored));
  // A read may take long: what counts are the purges until now.
  auto route = purges_.route_for(body.key, body.request.route, steady_now());
  auto answered = co_await upstream_.ask(worker.client, body.key, route, std::move(asked));
  if (!answered) co_return answered;
  const http::ResponseHead& head = answered->response.head();
  SliceAnswer judged = judge_slice(*body.stored, range, head.status, head.headers);
  if (judged == SliceAnswer::slice) {
    auto storable = may_store_part(body.request.viewer, head.headers);
    if (storable.yes) co_return answered;
    co_return fail(ErrorKind::unavailable, ErrorSource::upstream,
                   "a slice that is not for others: " + std::string(storable.reason));
  }
  if (judged == SliceAnswer::failure) {
    co_return fail(ErrorKind::unavailable, ErrorSource::upstream,
                   "upstream answered " + std::to_string(head.status) + " for a slice");
  }
  if (judged == SliceAnswer::no_ranges) {
    flights_.remember_unshared(no_ranges_key(body.key), wall_now() + no_ranges_memory);
  }
  forget(worker, body);
  co_return other_version();
}

net::Task<void> Slices::fetch(EdgeWorker& worker, std::shared_ptr<Flight> flight,
                              SlicedBodyPtr body, std::uint64_t number) {
  from_upstream_.add();
  http::ByteRange range = slice_range(*body->stored, settings_.slice_bytes, number);
  auto answered = co_await ask(worker, *body, range);
  if (!answered) {
    end_failed(*flight, answered.error());
    co_return;
  }
  flight->begin_body(body->stored, flight->key(), {}, range.length());
  auto received = co_await receive(worker, *flight, *body, range, *answered);
  if (!received) {
    end_failed(*flight, received.error());
    co_return;
  }
  flight->complete();
  commit(std::move(flight), *answered);
}

net::Task<Result<void>> Slices::receive(EdgeWorker& worker, Flight& flight, const SlicedBody& body,
                                        http::ByteRange range, Answered& answered) {
  std::uint64_t received = 0;
  int resumes = 0;
  while (received < range.length()) {
    std::span<char> room = flight.room();
    room = room.first(std::min<std::uint64_t>(room.size(), range.length() - received));
    auto n = co_await answered.response.read(room);
    if (n && *n > 0) {
      flight.append(*n);
      received += *n;
      continue;
    }
    Error why = n ? Error{ErrorKind::aborted, ErrorSource::upstream, true, "a slice is too short"}
                  : n.error();
    if (resumes++ == slice_resumes_max) co_return std::unexpected(std::move(why));
    auto rest = co_await ask(worker, body, {range.first + received, range.last});
    if (!rest) co_return std::unexpected(rest.error());
    answered = std::move(*rest);
  }
  // Its end is read as well, so that the connection can be used again; more bytes close it.
  char surplus = 0;
  auto end = co_await answered.response.read({&surplus, 1});
  if (end && *end > 0) {
    co_return fail(ErrorKind::corrupt, ErrorSource::upstream, "a slice is longer than its range");
  }
  co_return Result<void>{};
}

/// Straight through to one client, when there is no room to keep it meanwhile.
net::Task<Result<void>> Slices::send_unshared(EdgeWorker& worker, net::Exchange& exchange,
                                              const SlicedBody& body, http::ByteRange range) {
  unshared_.add();
  auto answered = co_await ask(worker, body, range);
  if (!answered) co_return std::unexpected(answered.error());
  std::vector<char> buffer(unshared_buffer_bytes);
  std::uint64_t left = range.length();
  while (left > 0) {
    std::size_t most = std::min<std::uint64_t>(buffer.size(), left);
    auto n = co_await answered->response.read({buffer.data(), most});
    if (!n) co_return std::unexpected(n.error());
    if (*n == 0) {
      co_return fail(ErrorKind::aborted, ErrorSource::upstream, "a slice is too short");
    }
    auto sent = co_await exchange.write({buffer.data(), *n});
    if (!sent) co_return sent;
    left -= *n;
  }
  co_return Result<void>{};
}

void Slices::commit(std::shared_ptr<Flight> flight, const Answered& answered) {
  StoredResponse slice = *flight->view().stored;
  slice.purge_sequence = flight->purge_sequence();
  slice.sliced_bytes = 0;
  auto purged = [this, flight, tags = slice.cache_tags] {
    return flight->disowned() ||
           purges_.purged_since(flight->purge_sequence(), flight->key(), tags);
  };
  if (purged()) {
    flights_.leave(*flight);
    return;
  }
  cache::NewObject object{flight->key(),           encode(slice),    flight->chunks(),
                          flight->view().received, flight->digest(), answered.by_peer ? 0.5 : 1.0};
  auto done = [this, flight, purged](bool stored) {
    // A purge that came while the slice was on its way must find it gone as well.
    if (stored && purged()) cache_.remove(flight->key(), [] {});
    flights_.leave(*flight);
  };
  cache_.store(std::move(object), std::move(done));
}

void Slices::end_failed(Flight& flight, Error error) {
  log::warn("slice not fetched", {log::kv("key", flight.key()), log::kv("why", error.message)});
  flights_.leave(flight);
  flight.fail(std::move(error));
}

/// Its head goes, if it still is this version's, and its slices with it.
void Slices::forget(EdgeWorker& worker, const SlicedBody& body) {
  changed_.add();
  cache::Pin head = cache_.peek(body.key);
  auto stored = head ? decode(head->head()) : Result<StoredResponse>();
  // One that is still on its way to the store is dropped there.
  bool newer = head && stored && !same_version(*stored, *body.stored);
  if (!newer) cache_.remove(body.key, [] {});
  // Who looks again must not join the flight that brought it, while that waits for the store.
  auto flight = flights_.find(body.key);
  FlightView view = flight ? flight->view() : FlightView{};
  if (view.state == FlightState::sliced && same_version(*view.stored, *body.stored)) {
    flights_.leave(*flight);
  }
  net::spawn(worker.io, drop_slices(cache_, body.key, body.stored, settings_.slice_bytes));
}

}  // namespace relay::edge
