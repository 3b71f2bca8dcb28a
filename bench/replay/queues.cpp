// LRU, SIEVE, S3-FIFO and 2Q.
#include <algorithm>

#include "bench/replay/queue.hpp"

namespace relay::bench {
namespace {

class Lru final : public Contender {
 public:
  explicit Lru(std::uint64_t capacity) : capacity_(capacity) {}
  Outcome request(const Request& request) override {
    auto known = known_.find(request.hash);
    if (known != known_.end()) {
      queue_.renew(known->second);
      return {true, 0};
    }
    if (request.bytes > capacity_) return {};
    while (queue_.bytes + request.bytes > capacity_) {
      known_.erase(queue_.places.front().hash);
      queue_.drop(queue_.places.begin());
    }
    known_[request.hash] = queue_.push({request.hash, request.bytes});
    return {false, request.bytes};
  }

 private:
  std::uint64_t capacity_;
  Queue queue_;
  Table<Places::iterator> known_;
};

class Sieve final : public Contender {
 public:
  explicit Sieve(std::uint64_t capacity) : capacity_(capacity), hand_(queue_.places.end()) {}
  Outcome request(const Request& request) override {
    auto known = known_.find(request.hash);
    if (known != known_.end()) {
      known->second->uses = 1;
      return {true, 0};
    }
    if (request.bytes > capacity_) return {};
    while (queue_.bytes + request.bytes > capacity_) evict();
    known_[request.hash] = queue_.push({request.hash, request.bytes});
    return {false, request.bytes};
  }

 private:
  void evict() {
    for (;; ++hand_) {
      if (hand_ == queue_.places.end()) hand_ = queue_.places.begin();
      if (hand_->uses == 0) break;
      hand_->uses = 0;
    }
    auto leaving = hand_++;
    known_.erase(leaving->hash);
    queue_.drop(leaving);
  }
  std::uint64_t capacity_;
  Queue queue_;
  Places::iterator hand_;
  Table<Places::iterator> known_;
};

class S3Fifo final : public Contender {
 public:
  explicit S3Fifo(std::uint64_t capacity)
      : capacity_(capacity), small_max_(capacity / 10), ghosts_(capacity - small_max_) {}
  Outcome request(const Request& request) override {
    auto known = known_.find(request.hash);
    if (known != known_.end()) {
      known->second->uses = std::min(known->second->uses + 1, 3);
      return {true, 0};
    }
    bool remembered = ghosts_.take(request.hash);
    if (request.bytes >= (remembered ? capacity_ : small_max_)) return {};
    while (small_.bytes + main_.bytes + request.bytes > capacity_) evict();
    known_[request.hash] = (remembered ? main_ : small_).push({request.hash, request.bytes});
    return {false, request.bytes};
  }

 private:
  void evict() {
    if (main_.bytes > capacity_ - small_max_ || small_.places.empty()) {
      evict_main();
    } else {
      evict_small();
    }
  }
  void evict_small() {
    while (!small_.places.empty()) {
      auto oldest = small_.places.begin();
      if (oldest->uses < 2) {
        ghosts_.remember(*oldest);
        known_.erase(oldest->hash);
        small_.drop(oldest);
        return;
      }
      oldest->uses = 0;
      small_.move_to(main_, oldest);
    }
  }
  void evict_main() {
    while (main_.places.front().uses > 0) {
      --main_.places.front().uses;
      main_.renew(main_.places.begin());
    }
    known_.erase(main_.places.front().hash);
    main_.drop(main_.places.begin());
  }
  std::uint64_t capacity_, small_max_;
  Queue small_, main_;
  Ghosts ghosts_;
  Table<Places::iterator> known_;
};

class TwoQueues final : public Contender {
 public:
  explicit TwoQueues(std::uint64_t capacity)
      : capacity_(capacity), in_max_(capacity / 4), ghosts_(capacity / 2) {}
  Outcome request(const Request& request) override {
    auto known = known_.find(request.hash);
    if (known != known_.end()) {
      if (known->second->uses > 0) main_.renew(known->second);
      return {true, 0};
    }
    bool remembered = ghosts_.take(request.hash);
    if (request.bytes > capacity_) return {};
    while (in_.bytes + main_.bytes + request.bytes > capacity_) evict();
    known_[request.hash] =
        (remembered ? main_ : in_).push({request.hash, request.bytes, remembered ? 1 : 0});
    return {false, request.bytes};
  }

 private:
  void evict() {
    bool from_in = in_.bytes > in_max_ || main_.places.empty();
    Queue& from = from_in ? in_ : main_;
    auto oldest = from.places.begin();
    if (from_in) ghosts_.remember(*oldest);
    known_.erase(oldest->hash);
    from.drop(oldest);
  }
  std::uint64_t capacity_, in_max_;
  Queue in_, main_;  // a place in main_ has uses 1
  Ghosts ghosts_;
  Table<Places::iterator> known_;
};

}  // namespace

std::unique_ptr<Contender> make_lru(std::uint64_t capacity_bytes) {
  return std::make_unique<Lru>(capacity_bytes);
}
std::unique_ptr<Contender> make_sieve(std::uint64_t capacity_bytes) {
  return std::make_unique<Sieve>(capacity_bytes);
}
std::unique_ptr<Contender> make_s3fifo(std::uint64_t capacity_bytes) {
  return std::make_unique<S3Fifo>(capacity_bytes);
}
std::unique_ptr<Contender> make_two_queues(std::uint64_t capacity_bytes) {
  return std::make_unique<TwoQueues>(capacity_bytes);
}

}  // namespace relay::bench
