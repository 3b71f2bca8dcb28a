// What the cache holds for a request: the response under its primary key, the variant that its
// fields or its favourite language select, or a part of it.
#include "common/http/negotiate.hpp"
#include "edge/cache_key.hpp"
#include "edge/edge.hpp"
#include "edge/part.hpp"
#include "edge/store_wait.hpp"

namespace relay::edge {

net::Task<Found> Edge::find(const std::string& key) {
  return lookup_.find(key);
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

/// True: what this request would have asked upstream for has come into the cache, perhaps; look
/// again. Once a visit: a key that is stored over and over is not waited for forever.
net::Task<bool> Edge::stored_meanwhile(Visit& visit) {
  if (!trusts_stored() || std::exchange(visit.awaited_store, true)) co_return false;
  std::vector<std::string> keys{visit.key, part_key(visit.primary_key)};
  co_return co_await store_answered(cache_, std::move(keys));
}

}  // namespace relay::edge
