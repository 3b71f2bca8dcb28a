#include "edge/pass.hpp"

#include <charconv>
#include <vector>

#include "common/http/problem.hpp"
#include "common/http/repr_digest.hpp"
#include "common/http/surrogate_control.hpp"
#include "common/net/whole_body.hpp"
#include "edge/cache_key.hpp"
#include "edge/freshness.hpp"
#include "edge/interim.hpp"
#include "edge/invalidation.hpp"
#include "edge/part.hpp"
#include "edge/sharing.hpp"

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

/// What is not cached has no owner and goes straight to the origin. What may change something goes
/// through the key's owner, whose copy it makes invalid on its way; so does a tail, to be kept,
/// unless a purge came that the owner may not have heard of.
net::Task<std::optional<Answered>> Pass::ask(Visit& visit) {
  visit.outcome = Outcome::pass;
  net::ClientRequest asked{
      std::string(visit.request.method), visit.target, http::end_to_end(visit.request.fields), {}};
  asked.headers.remove("Host");
  asked.headers.remove("Content-Length");
  asked.headers.remove("Expect");
  if (auto left = http::forwards_left(asked.method, visit.request.fields)) {
    asked.headers.set("Max-Forwards", std::to_string(*left - 1));  // 0 did not come here
  }
  bool reads = visit.request.method == "GET" || visit.request.method == "HEAD";
  if (!reads) {  // a body on GET or HEAD is never forwarded
    auto body = co_await net::read_whole_body(visit.exchange, passed_body_bytes_max);
    if (!body && body.error().kind == ErrorKind::too_large) {
      body.error().message =
          "an edge forwards bodies of at most 1 MiB; upload to the origin itself";
    }
    if (!body) {
      co_await refuse(visit, body.error());
      co_return std::nullopt;
    }
    asked.body = std::move(*body);
  }
  asked.on_interim = interim_path(visit, settings_.name);
  http::append_cdn_loop(asked.headers, fleet::loop_name(settings_.name));
  http::append_via(asked.headers, visit.request.minor_version, settings_.name);
  http::announce_surrogate(asked.headers);
  bool for_tail =
      asks_for_tail(visit.request) && !purges_.purged_lately(visit.primary_key, steady_now());
  bool by_owner = invalidates(visit.request.method, 200) || for_tail;
  auto route = by_owner ? visit.route : fleet::HopRoute::origin_only;
  auto answered =
      co_await upstream_.ask(visit.worker.client, visit.primary_key, route, std::move(asked));
  if (answered) co_return std::move(*answered);
  co_await refuse(visit, answered.error());
  co_return std::nullopt;
}

net::Task<void> Pass::forward(Visit& visit) {
  Begun begun{purges_.sequence(), changes_.of(visit.primary_key)};
  auto answered = co_await ask(visit);
  if (!answered) co_return;
  invalidate(visit, *answered);
  note_shareable(visit, *answered);
  // Its own change does not count.
  if (invalidates(visit.request.method, answered->response.head().status)) ++begun.changes;
  auto keep = keep_of(visit, *answered, begun);
  co_await send_on(visit, std::move(*answered), std::move(keep), begun);
}

net::Task<void> Pass::forward_head(Visit& visit, cache::Pin object, StoredPtr stored) {
  std::uint64_t purge_sequence = purges_.sequence();
  auto answered = co_await ask(visit);
  if (!answered) co_return;
  const http::ResponseHead& head = answered->response.head();
  bool purged = purges_.purged_since(purge_sequence, object->key(), stored->cache_tags);
  if (head.status == 200 && !purged) {
    if (is_head_of(*stored, object->body_bytes(), head.headers)) {
      auto fresh = refresh(*stored, head.headers, answered->request_time, answered->response_time);
      fresh.purge_sequence = purge_sequence;
      cache_.update_head(object, encode(fresh));
    } else {
      cache_.remove(object->key(), [] {});
    }
  }
  co_await send_on(visit, std::move(*answered), std::nullopt, {});
}

/// Requests for a key whose answer could not be shared pass by the cache, until one of them shows
/// that it can be.
void Pass::note_shareable(const Visit& visit, const Answered& answered) {
  const net::ClientResponse& response = answered.response;
  bool shareable = visit.request.method == "GET" &&
                   is_shareable(response.head(), response.framing(), visit.request.fields,
                                settings_.object_bytes_max);
  if (shareable) flights_.forget_unshared(sharing_key(visit.key, visit.request.fields));
}

/// The last one before the origin tells the rest of the fleet.
void Pass::invalidate(const Visit& visit, const Answered& answered) {
  const http::ResponseHead& head = answered.response.head();
  if (!invalidates(visit.request.method, head.status)) return;
  auto keys = invalidated_keys(visit.request, head.headers, settings_.key_host);
  for (const std::string& key : keys) invalidate(key);
  if (!on_change_ || answered.by_peer) return;
  std::string asker;
  if (visit.route != fleet::HopRoute::peer_or_origin) {  // the last entry is the member's own
    std::string way = http::joined(visit.request.fields, "CDN-Loop");
    asker = way.substr(way.rfind(',') + 1);
  }
  on_change_(std::move(keys), std::move(asker));
}

/// Flights first: what they bring may be older than the change. Removing takes what is on its way
/// into the cache too, so it is not asked first whether something is there. Variants go by a mark
/// of the purge log, for nobody knows their keys; a restart forgets it, but the sweep comes sooner.
void Pass::invalidate(const std::string& primary) {
  auto same = [primary](std::string_view key) { return primary_of(key) == primary; };
  changes_.raise(primary);
  flights_.disown_if([&](const Flight& flight) { return same(flight.key()); });
  absences_.remove(primary);
  auto object = cache_.peek(primary);
  auto stored = object ? decode(object->head()) : Result<StoredResponse>();
  bool has_variants = object && stored && stored->kind == StoredKind::variants;
  cache_.remove(part_key(primary), [] {});
  cache_.remove(primary, [] {});
  if (!has_variants) return;
  std::string_view target = target_of(primary);
  Purge purge{.by = PurgeBy::url,
              .text = std::string(target),
              .host = primary.substr(0, primary.size() - target.size())};
  if (purges_.add(std::move(purge), wall_now(), steady_now())) {
    purge_sweep_.wake();
  } else {
    cache_.remove_if(same, [] {});
  }
}

/// The answers that are stored although no flight brought them.
std::optional<Keep> Pass::keep_of(const Visit& visit, const Answered& answered, Begun begun) const {
  const http::ResponseHead& head = answered.response.head();
  const http::RequestHead& request = visit.request;
  auto names = vary_names(head.headers);
  if (!names || !names->empty()) return std::nullopt;
  bool part = asks_for_tail(request) && head.status == 206 &&
              may_store_part(request.fields, head.headers).yes;
  bool target = request.method == "POST" &&
                names_target(request, head.headers, settings_.key_host) &&
                may_store("POST", head.status, request.fields, head.headers).yes;
  if (!part && !target) return std::nullopt;
  WallTime asked_at = answered.request_time, came_at = answered.response_time;
  auto stored =
      part ? make_part(*http::find(request.fields, "Range"), head.headers, asked_at, came_at)
           : make_stored(head.status, head.headers, asked_at, came_at);
  stored.purge_sequence = begun.purge_sequence;
  return Keep(part ? part_key(visit.primary_key) : visit.primary_key, std::move(stored));
}

/// Returns when the next request finds it.
net::Task<void> Pass::store(Keep keep, std::string primary, Begun begun) {
  std::string key = keep.key();
  std::vector<std::string> tags = keep.stored().cache_tags;
  auto object = std::move(keep).take();
  auto invalid = [this, key, tags, primary, begun] {
    return changes_.of(primary) != begun.changes ||
           purges_.purged_since(begun.purge_sequence, key, tags);
  };
  if (!object || invalid()) co_return;
  auto over = std::make_shared<net::Broadcast>();
  auto done = [this, key, invalid, over](bool stored) {
    // What made it invalid while it was on its way must find it gone as well.
    if (stored && invalid()) cache_.remove(key, [] {});
    over->notify();
  };
  std::uint64_t before = over->version();
  cache_.store(std::move(*object), std::move(done));
  co_await over->wait(before);
}

net::Task<void> Pass::hand_on(Visit& visit, Answered answered) {
  co_await send_on(visit, std::move(answered), std::nullopt, {});
}

net::Task<void> Pass::send_on(Visit& visit, Answered answered, std::optional<Keep> keep,
                              Begun begun) {
  const http::ResponseHead& came = answered.response.head();
  visit.trail.forward_status = came.status;
  http::ResponseHead head{came.status, http::end_to_end(came.headers)};
  std::optional<std::uint64_t> length = content_length(came.headers);
  if (answered.response.framing().kind != http::BodyKind::length &&
      visit.request.method != "HEAD") {
    length = std::nullopt;
    if (answered.response.framing().kind == http::BodyKind::none) length = 0;
  }
  visit.trail.stored = keep && length && *length <= kept_body_bytes_max;
  head.headers.remove("Content-Length");
  deliver_.add_hop_fields(visit, head.headers);
  auto opened = co_await visit.exchange.begin(std::move(head), length);
  if (!opened) co_return;
  co_await send_body(visit, std::move(answered), std::move(keep), begun);
}

net::Task<void> Pass::send_body(Visit& visit, Answered answered, std::optional<Keep> keep,
                                Begun begun) {
  std::vector<char> buffer(copy_buffer_bytes);
  std::optional<http::BodyCheck> promised;
  if (visit.request.method == "GET") promised.emplace(answered.response.head());
  while (!answered.response.complete()) {
    auto n = co_await answered.response.read(buffer);
    std::string_view bytes(buffer.data(), n.value_or(0));
    if (promised) promised->update(bytes);
    bool last = answered.response.complete();
    if (n && last && promised && !promised->holds()) n = http::digest_mismatch();
    if (!n) {
      visit.detail = n.error().message;
      visit.exchange.abort();
      co_return;
    }
    if (keep) keep->add(bytes);
    // Stored before its last byte goes out: who has the whole may ask again at once.
    if (keep && last) co_await store(std::move(*keep), visit.primary_key, begun);
    auto sent = co_await visit.exchange.write(bytes);
    if (!sent) co_return;
  }
  co_await visit.exchange.finish();
}

net::Task<void> Pass::refuse(Visit& visit, const Error& error) {
  visit.outcome = error.source == ErrorSource::client ? Outcome::refused : Outcome::failed;
  visit.detail = error.message;
  if (error.source != ErrorSource::upstream) visit.trail = {};  // it did not go on
  Error told = error;
  // What is behind this edge is the operator's business; the access log has it.
  if (error.source == ErrorSource::upstream) told.message = "upstream gave no usable answer";
  co_await deliver_.refuse(visit, http::problem_of(told));
}

}  // namespace relay::edge
