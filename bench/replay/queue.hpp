// A queue of objects with their bytes, the oldest in front; what the classic policies are made of.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <list>

#include "bench/replay/contender.hpp"

namespace relay::bench {

struct Place {
  std::uint64_t hash = 0, bytes = 0;
  int uses = 0;
};
using Places = std::list<Place>;

struct Queue {
  Places places;
  std::uint64_t bytes = 0;
  Places::iterator push(const Place& place) {
    bytes += place.bytes;
    return places.insert(places.end(), place);
  }
  void renew(Places::iterator at) { places.splice(places.end(), places, at); }
  void move_to(Queue& other, Places::iterator at) {
    bytes -= at->bytes;
    other.bytes += at->bytes;
    other.places.splice(other.places.end(), places, at);
  }
  void drop(Places::iterator at) {
    bytes -= at->bytes;
    places.erase(at);
  }
};

template <class Value>
using Table = boost::unordered_flat_map<std::uint64_t, Value>;

/// Names of objects that left, up to a sum of their bytes.
class Ghosts {
 public:
  explicit Ghosts(std::uint64_t bytes_max) : bytes_max_(bytes_max) {}
  bool take(std::uint64_t hash) {
    auto known = known_.find(hash);
    if (known == known_.end()) return false;
    queue_.drop(known->second);
    known_.erase(known);
    return true;
  }
  void remember(const Place& place) {
    take(place.hash);
    known_[place.hash] = queue_.push(place);
    while (queue_.bytes > bytes_max_) take(queue_.places.front().hash);
  }

 private:
  std::uint64_t bytes_max_;
  Queue queue_;
  Table<Places::iterator> known_;
};

}  // namespace relay::bench
