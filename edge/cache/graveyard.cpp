#include "edge/cache/graveyard.hpp"

#include <algorithm>

namespace relay::edge::cache {

void Graveyard::bury(std::shared_ptr<Body> body, SteadyTime now) {
  bool held = body.use_count() > 1;
  buried_.push_back({std::move(body), held ? now : SteadyTime::min()});
}

bool Graveyard::is_free(const std::shared_ptr<Body>& body, SteadyTime now) {
  if (body.use_count() > 1) return false;
  // The last holder's reads come before what is done with the pages next.
  std::atomic_thread_fence(std::memory_order_acquire);
  auto noted = body->last_sendfile.load(std::memory_order_relaxed);
  return noted == 0 || now - SteadyTime(SteadyTime::duration(noted)) >= grace;
}

std::vector<std::shared_ptr<Body>> Graveyard::release(SteadyTime now) {
  std::vector<std::shared_ptr<Body>> freed;
  std::erase_if(buried_, [&](Grave& grave) {
    if (grave.body.use_count() > 1) grave.last_held = now;
    bool sent = grave.body->last_sendfile.load(std::memory_order_relaxed) != 0;
    if (sent && grave.last_held != SteadyTime::min() && now - grave.last_held < grace) return false;
    if (!is_free(grave.body, now)) return false;
    freed.push_back(std::move(grave.body));
    return true;
  });
  return freed;
}

}  // namespace relay::edge::cache
