// What the cache holds for a request: the response under its primary key, the variant that its
// fields or its favourite language select, or a part of it.
#include "common/http/negotiate.hpp"
#include "edge/cache_key.hpp"
#include "edge/edge.hpp"
#include "edge/part.hpp"

namespace relay::edge {
namespace {

/// The parsed head of an object, parsed once and kept beside it.
StoredPtr stored_of(const cache::Object& object) {
  if (auto parsed = object.parsed()) {
    return std::static_pointer_cast<const StoredResponse>(std::move(parsed));
  }
  auto stored = decode(object.head());
  if (!stored) return nullptr;
  object.keep_parsed(std::make_shared<const StoredResponse>(std::move(*stored)));
  return std::static_pointer_cast<const StoredResponse>(object.parsed());
}

}  // namespace

net::Task<Found> Edge::find(const std::string& key) {
  cache::Pin object = cache_.find(key);
  if (!object) co_return Found{};
  if (!object->known_good()) {
    auto check = [&] { return object->verify(); };
    if (!co_await net::run_blocking(blocking_, check)) co_return Found{};
  }
  StoredPtr stored = stored_of(*object);
  if (stored && object->purges_noted() != purges_.sequence()) stored = outlived(object, stored);
  if (!stored) co_return Found{};
  co_return Found{std::move(object), std::move(stored)};
}

net::Task<Found> Edge::look_up(Visit& visit) {
  visit.key = visit.primary_key;
  visit.trail.forward = http::Forward::uri_miss;
  Found found = co_await find(visit.key);
  if (found && found.stored->kind == StoredKind::response) co_return found;
  const std::vector<std::string>& names = found ? found.stored->vary : visit.vary;
  if (names.empty()) co_return Found{};
  visit.trail.forward = http::Forward::vary_miss;
  co_return co_await find_variant(visit, names);
}

net::Task<Found> Edge::find_variant(Visit& visit, const std::vector<std::string>& names) {
  http::Fields request = visit.request.fields;
  visit.key = secondary_key(visit.primary_key, names, request);
  Found found = co_await find(visit.key);
  if (found || !chooses_language(names)) co_return found;
  std::string language = http::favourite(http::joined(request, "Accept-Language"));
  if (language.empty()) co_return Found{};
  Found alias = co_await find(language_key(visit.primary_key, names, request, language));
  if (!alias || alias.stored->kind != StoredKind::alias) co_return Found{};
  found = co_await find(alias.stored->alias_of);
  if (!found || found.stored->kind != StoredKind::response) co_return Found{};
  visit.key = found.object->key();
  co_return found;
}

/// A part that is fresh; it is worth looking for only when the whole is not here.
net::Task<Found> Edge::find_part(Visit& visit) {
  if (visit.request.method != "GET") co_return Found{};
  Found part = co_await find(part_key(visit.primary_key));
  bool fresh = part && part.stored->kind == StoredKind::part &&
               judge(part.stored->freshness, visit.rules, visit.now).use == Use::fresh;
  if (!fresh) co_return Found{};
  co_return part;
}

}  // namespace relay::edge
