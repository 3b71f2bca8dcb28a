#include "origin/live/doorstep.hpp"

namespace relay::origin::live {

std::unique_ptr<Doorstep::Place> Doorstep::enter(std::shared_ptr<Doorstep> doorstep,
                                                 std::string peer) {
  if (!doorstep->take(peer)) return nullptr;
  return std::make_unique<Place>(std::move(doorstep), std::move(peer));
}

bool Doorstep::take(const std::string& peer) {
  std::lock_guard lock(mutex_);
  std::size_t& waiting = waiting_[peer];
  if (waiting >= of_a_peer_max_) return false;
  ++waiting;
  return true;
}

void Doorstep::leave(const std::string& peer) {
  std::lock_guard lock(mutex_);
  auto found = waiting_.find(peer);
  if (--found->second == 0) waiting_.erase(found);
}

}  // namespace relay::origin::live
