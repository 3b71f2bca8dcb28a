// Answers of what upstream said a moment ago is not there.
#include "edge/edge.hpp"

namespace relay::edge {

/// False: nobody said so, or not lately enough for this request.
net::Task<bool> Edge::serve_absence(Visit& visit) {
  if (has_credentials(visit.request.fields)) co_return false;
  Found absent = absences_.find(visit.key);
  if (!absent) co_return false;
  const StoredResponse& stored = *absent.stored;
  if (purges_.purged_since(stored.purge_sequence, visit.key, stored.cache_tags)) {
    absences_.remove(visit.key);
    co_return false;
  }
  Judgement judgement = judge(stored.freshness, visit.rules, visit.now);
  if (judgement.use != Use::fresh) co_return false;
  visit.trail.ttl = std::chrono::floor<std::chrono::seconds>(judgement.ttl);
  co_return co_await serve_found(visit, std::move(absent), Outcome::hit);
}

}  // namespace relay::edge
