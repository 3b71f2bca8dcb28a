#include "edge/fill.hpp"

#include <algorithm>
#include <array>

#include "common/base/log.hpp"
#include "common/http/conditional.hpp"
#include "common/http/range.hpp"
#include "common/http/repr_digest.hpp"
#include "common/http/surrogate_control.hpp"
#include "common/net/timer.hpp"
#include "edge/cache_key.hpp"
#include "edge/hls/directives.hpp"
#include "edge/part.hpp"
#include "edge/sharing.hpp"
#include "edge/slice_drop.hpp"
#include "edge/slicing.hpp"

namespace relay::edge {
namespace {

constexpr int resumes_max = 2;
constexpr std::chrono::seconds clock_look_each{1};

/// Fields that ask for less than the whole, or speak of this client's copy: a flight fetches the
/// whole for everybody.
constexpr std::array<std::string_view, 6> client_only = {
    "Range", "If-Range", "If-None-Match", "If-Modified-Since", "If-Match", "If-Unmodified-Since"};

Error upstream_answered(int status) {
  return {ErrorKind::unavailable, ErrorSource::upstream, true,
          "upstream answered " + std::to_string(status)};
}

/// Whoever waits for a head may look how long that takes.
net::Task<void> show_clock(std::shared_ptr<Flight> flight, std::shared_ptr<net::Timer> timer) {
  while (flight->view().state == FlightState::asking) {
    timer->expires_after(clock_look_each);
    co_await timer->async_wait(net::use_result);
    flight->changed().notify();
  }
}

/// The bytes of a held beginning come first.
void take_over(const cache::Object& part, Flight& flight) {
  std::uint64_t offset = 0;
  while (offset < part.body_bytes()) {
    cache::Piece piece = part.piece(offset);
    std::span<char> room = flight.room();
    std::size_t size = std::min(room.size(), piece.size);
    std::copy_n(piece.address, size, room.data());
    flight.append(size);
    offset += size;
  }
}

}  // namespace

Fill::Fill(const Settings& settings, const LiveValues& live, cache::Cache& cache,
           Absences& absences, FlightTable& flights, FlightMemory& memory, const PurgeLog& purges,
           Upstream& upstream, MediaSense& sense, Metrics& metrics)
    : settings_(settings),
      live_(live),
      cache_(cache),
      absences_(absences),
      flights_(flights),
      memory_(memory),
      purges_(purges),
      upstream_(upstream),
      sense_(sense),
      aborted_(metrics.counter("relay_edge_flights_aborted_total",
                               "flights that ended without a whole body")),
      resumed_(metrics.counter("relay_edge_flights_resumed_total",
                               "flights that went on with a range after their upstream broke off")),
      beginnings_(metrics.counter("relay_edge_beginnings_total",
                                  "beginnings of bodies taken from members that held them")),
      unshared_(metrics.counter("relay_edge_flights_unshared_total",
                                "flights whose answer could not be kept or shared")),
      absent_(metrics.counter("relay_edge_absences_total",
                              "answers 404 and 410 that count for cache.negative")) {
}

net::ClientRequest Fill::upstream_request(const FillRequest& request, bool conditional) const {
  net::ClientRequest asked{"GET", request.target, request.viewer, {}};
  for (std::string_view name : client_only) asked.headers.remove(name);
  asked.headers.remove("Host");
  asked.on_interim = request.on_interim;
  if (!settings_.client_directives) {
    asked.headers.remove("Cache-Control");
    asked.headers.remove("Pragma");
  }
  if (conditional) add_validators(*request.stale.stored, asked.headers);
  http::append_cdn_loop(asked.headers, fleet::loop_name(settings_.name));
  http::append_via(asked.headers, 1, settings_.name);
  http::announce_surrogate(asked.headers);
  return asked;
}

bool Fill::confirm(Flight& flight, const FillRequest& request, const Answered& answered) {
  if (!request.stale || answered.response.head().status != 304) return false;
  StoredResponse refreshed = refresh(*request.stale.stored, answered.response.head().headers,
                                     answered.request_time, answered.response_time);
  refreshed.purge_sequence = flight.purge_sequence();
  refreshed.sliced_bytes = request.stale.stored->sliced_bytes;
  auto fresh = std::make_shared<const StoredResponse>(std::move(refreshed));
  // A purge since then has the last word: what it marked stale stays so.
  bool purged = flight.disowned() ||
                purges_.purged_since(flight.purge_sequence(), flight.key(), fresh->cache_tags);
  if (!purged) cache_.update_head(request.stale.object, encode(*fresh));
  if (!fresh->vary.empty()) variants_.renew(request.stale.object->key());
  flight.confirm(request.stale.object, fresh,
                 http::joined(answered.response.head().headers, "Cache-Status"));
  flights_.leave(flight);
  return true;
}

std::string_view Fill::why_unshared(const FillRequest& request, const Answered& answered) const {
  http::BodyFraming framing = answered.response.framing();
  if (answered.completed) framing = {http::BodyKind::length, answered.completed->length};
  auto why = unshareable(answered.head(), framing, request.viewer, settings_.object_bytes_max);
  if (!why.empty() && (why == "too-large" || !tells_absence(request, answered))) return why;
  std::uint64_t known = framing.kind == http::BodyKind::length ? framing.length : 0;
  return memory_.has_room(known) ? std::string_view() : "no-memory";
}

bool Fill::tells_absence(const FillRequest& request, const Answered& answered) const {
  const http::ResponseHead& head = answered.head();
  return settings_.negative_lifetime.count() > 0 &&
         may_keep_absence(head.status, request.viewer, head.headers);
}

/// What was fetched ahead may have been asked for too early.
void Fill::remember_unshared(const Flight& flight, const FillRequest& request, int status) {
  auto memory = unshared_memory_after(status);
  if (!memory || (request.awaited && is_absence(status))) return;
  flights_.remember_unshared(sharing_key(flight.key(), request.viewer), wall_now() + *memory);
}

net::Task<std::optional<Answered>> Fill::lead(EdgeWorker& worker, std::shared_ptr<Flight> flight,
                                              FillRequest request) {
  std::shared_ptr<net::Timer> clock;
  if (hls::is_playlist(request.target)) {
    clock = std::make_shared<net::Timer>(worker.io);
    net::spawn(worker.io, show_clock(flight, clock));
  }
  auto answered = co_await ask(worker, *flight, request);
  if (clock) clock->cancel();
  if (!answered) {
    end_failed(*flight, request, answered.error());
    co_return std::nullopt;
  }
  int status = answered->head().status;
  if (status >= 400) {
    note_failure(*flight, request, is_upstream_failure(status));
  } else {
    absences_.remove(primary_of(flight->key()));
    flights_.forget_unshared(failed_key(flight->key(), flight->purge_sequence()));
  }
  if (confirm(*flight, request, *answered)) co_return std::nullopt;
  bool stand_in =
      request.may_stand_in && is_upstream_failure(status) &&
      may_serve_stale_on_error(request.stale, purges_, wall_now(), live_.stale_on_error());
  if (stand_in) {
    end_failed(*flight, request, upstream_answered(status));
    co_return std::nullopt;
  }
  bool sliced = slice(worker, flight, request, *answered);
  bool outdated = request.stale && request.stale.stored->sliced_bytes > 0 && status < 400;
  bool same = outdated && sliced && same_version(*flight->view().stored, *request.stale.stored);
  if (outdated && !same) {
    net::spawn(worker.io, drop_slices(cache_, request.stale.object->key(), request.stale.stored,
                                      settings_.slice_bytes));
  }
  if (sliced) co_return std::nullopt;
  if (!why_unshared(request, *answered).empty()) {
    unshared_.add();
    // The stale one has a successor that is not for the cache: it must not stand in any more.
    if (request.stale && status < 400) cache_.remove(request.stale.object);
    remember_unshared(*flight, request, status);
    flights_.leave(*flight);
    // Who waits for a part would go on waiting upstream, each by itself.
    bool is_for_all = hls::is_part(request.target) && !unshared_memory_after(status);
    is_for_all ? flight->fail(upstream_answered(status)) : flight->uncacheable();
    co_return std::move(*answered);
  }
  begin(*flight, request, *answered);
  net::spawn(worker.io,
             stream(worker, std::move(flight), std::move(request), std::move(*answered)));
  co_return std::nullopt;
}

/// A large body under a validator that can be pinned: only its head is kept here, and this answer's
/// body is left unread.
bool Fill::slice(EdgeWorker& worker, const std::shared_ptr<Flight>& flight,
                 const FillRequest& request, const Answered& answered) {
  const http::ResponseHead& head = answered.response.head();
  http::BodyFraming framing = answered.response.framing();
  bool fits = !answered.completed && framing.kind == http::BodyKind::length &&
              may_slice(head.status, head.headers, framing.length, settings_.slice_bytes) &&
              may_store("GET", head.status, request.viewer, head.headers).yes &&
              vary_names(head.headers);
  if (!fits) return false;
  StoredResponse made =
      make_stored(head.status, head.headers, answered.request_time, answered.response_time);
  made.purge_sequence = flight->purge_sequence();
  made.sliced_bytes = framing.length;
  std::string key = secondary_key(request.primary_key, made.vary, request.viewer);
  if (flights_.unshared(no_ranges_key(key), wall_now())) return false;
  auto stored = std::make_shared<const StoredResponse>(std::move(made));
  flight->slice(stored, key, http::joined(head.headers, "Cache-Status"),
                fields_for_first(head.headers));
  keep(worker, flight, request, {key, encode(*stored), {}, 0, digest128({}), 1.0});
  return true;
}

net::Task<void> Fill::refresh_beside(EdgeWorker& worker, std::shared_ptr<Flight> flight,
                                     FillRequest request) {
  auto unshared = co_await lead(worker, std::move(flight), std::move(request));
  (void)unshared;  // dropped: nobody waits for it
}

void Fill::begin(Flight& flight, const FillRequest& request, const Answered& answered) {
  const http::ResponseHead& head = answered.head();
  StoredResponse made =
      make_stored(head.status, head.headers, answered.request_time, answered.response_time);
  made.purge_sequence = flight.purge_sequence();
  made.absence = tells_absence(request, answered);
  if (made.absence) {
    // From its arrival here on: neither a slow origin nor one whose clock is wrong makes it old.
    made.freshness.lifetime = settings_.negative_lifetime + made.freshness.initial_age;
  } else {
    made.media = hls::kind_of(request.target, made.content_type);
  }
  auto stored = std::make_shared<const StoredResponse>(std::move(made));
  http::BodyFraming framing = answered.response.framing();
  std::optional<std::uint64_t> length;
  if (framing.kind == http::BodyKind::length) length = framing.length;
  if (framing.kind == http::BodyKind::none) length = 0;
  if (answered.completed) length = answered.completed->length;
  flight.begin_body(stored, secondary_key(request.primary_key, stored->vary, request.viewer),
                    http::joined(head.headers, "Cache-Status"), length,
                    fields_for_first(head.headers));
  if (auto promised = http::sha_check_of(head)) flight.promise(std::move(*promised));
  if (answered.completed && !answered.before) take_over(*request.part.object, flight);
}

net::Task<void> Fill::stream(EdgeWorker& worker, std::shared_ptr<Flight> flight,
                             FillRequest request, Answered answered) {
  auto received = co_await receive(worker, *flight, request, answered);
  if (received) received = verify(*flight, answered);
  if (!received) {
    end_failed(*flight, request, received.error());
    co_return;
  }
  commit(worker, std::move(flight), request, answered.by_peer);
}

net::Task<Result<void>> Fill::receive(EdgeWorker& worker, Flight& flight,
                                      const FillRequest& request, Answered& answered) {
  int resumes = 0;
  while (answered.before || !answered.response.complete()) {
    bool by_origin = !answered.under_way && !answered.before;
    auto more = by_origin ? flight.take_offer(beginning_gain_min) : std::nullopt;
    if (more) co_await skip_ahead(worker, flight, request, answered, std::move(*more));
    auto n = co_await read_next(answered, flight.room());
    if (!n) {
      if (resumes++ == resumes_max) co_return std::unexpected(n.error());
      auto resumed = co_await resume(worker, flight, request, answered);
      if (!resumed) co_return std::unexpected(n.error());
      continue;
    }
    if (*n > 0) flight.append(*n);
    if (auto fits = check_growth(flight, request); !fits) co_return fits;
  }
  co_return Result<void>{};
}

/// A body whose length was not told, or not truly, stops where it would break the budgets.
Result<void> Fill::check_growth(const Flight& flight, const FillRequest& request) {
  FlightView view = flight.view();
  if (view.length) {
    if (view.received <= *view.length) return {};
    return fail(ErrorKind::aborted, ErrorSource::upstream, "the body is longer than promised");
  }
  if (view.received <= settings_.object_bytes_max && memory_.has_room(0)) return {};
  remember_unshared(flight, request, view.stored->status);
  return fail(ErrorKind::too_large, ErrorSource::upstream,
              "a body without a length grew over cache.object_max or cache.flight_memory");
}

Result<void> Fill::verify(Flight& flight, const Answered& answered) const {
  FlightView view = flight.view();
  if (view.length && view.received != *view.length) {
    return fail(ErrorKind::aborted, ErrorSource::upstream, "the body is shorter than promised");
  }
  // A 206 that went on need not repeat what the head of the whole promised.
  auto promised = http::read_repr_digest(view.stored->fields());
  if (!promised) promised = http::read_repr_digest(answered.response.head().headers);
  bool wrong = promised && view.stored->status == 200 && *promised != flight.digest();
  if (wrong || !flight.keeps_promise()) return http::digest_mismatch();
  return {};
}

void Fill::commit(EdgeWorker& worker, std::shared_ptr<Flight> flight, const FillRequest& request,
                  bool by_peer) {
  FlightView view = flight->view();
  if (view.stored->absence) {
    // What was fetched ahead may have been asked for too early: that is for who waits already.
    if (!request.awaited) keep_absence(*flight);
    flight->complete();
    flights_.leave(*flight);
    return;
  }
  flight->complete();
  double value = sense_.value_of(request.primary_key, *view.stored);
  cache::NewObject object{view.stored_key, encode(*view.stored), flight->chunks(),
                          view.received,   flight->digest(),     by_peer ? value / 2 : value,
                          request.awaited};
  std::erase_if(object.chunks, [](const cache::ChunkPtr& chunk) { return chunk->size == 0; });
  if (view.stored->media == hls::Kind::playlist) {
    std::string host(http::find(request.viewer, "Host").value_or(""));
    sense_.learn(worker, {request.primary_key, request.target, std::move(host), view.stored,
                          object.chunks, nullptr});
  }
  keep(worker, flight, request, std::move(object));
}

/// Before its flight is over, so that nobody asks again in between. A variant's is known only to
/// those who waited for it.
void Fill::keep_absence(const Flight& flight) {
  StoredPtr stored = flight.view().stored;
  auto invalid = [&] {
    return flight.disowned() ||
           purges_.purged_since(flight.purge_sequence(), flight.key(), stored->cache_tags);
  };
  if (!stored->vary.empty() || invalid()) return;
  absent_.add();
  auto chunks = flight.chunks();  // a longer body than one is not kept
  std::string_view body = chunks.empty() ? std::string_view() : chunks.front()->view();
  if (body.size() == flight.view().received) absences_.keep(flight.key(), stored, body, wall_now());
  // What made it invalid meanwhile may have come just before.
  if (invalid()) absences_.remove(flight.key());
}

void Fill::keep(EdgeWorker& worker, const std::shared_ptr<Flight>& flight,
                const FillRequest& request, cache::NewObject object) {
  StoredPtr stored = flight->view().stored;
  const auto& tags = stored->cache_tags;
  if (flight->disowned() || purges_.purged_since(flight->purge_sequence(), object.key, tags)) {
    flights_.leave(*flight);
    return;
  }
  store_names(worker, *stored, object.key, request);
  auto done = [this, &worker, flight, key = object.key, stored](bool kept) {
    // What made it invalid while it was on its way must find it gone as well.
    bool invalid = flight->disowned() ||
                   purges_.purged_since(flight->purge_sequence(), key, stored->cache_tags);
    if (kept && invalid) cache_.remove(key, [] {});
    if (kept && !invalid && !stored->vary.empty()) bound_variants(worker, key);
    flights_.leave(*flight);
  };
  cache_.store(std::move(object), std::move(done));
}

/// Before the flight is over, so that nobody asks again in between.
void Fill::note_failure(const Flight& flight, const FillRequest& request, bool stands_in) {
  if (!request.stale) return;
  auto key_of = stands_in ? failed_key : refused_key;
  flights_.remember_unshared(key_of(flight.key(), flight.purge_sequence()),
                             wall_now() + failure_memory);
}

void Fill::end_failed(Flight& flight, const FillRequest& request, Error error) {
  note_failure(flight, request, true);
  aborted_.add();
  log::warn("flight ended without a body",
            {log::kv("key", flight.key()), log::kv("why", error.message)});
  flights_.leave(flight);
  flight.fail(std::move(error));
}

}  // namespace relay::edge
