// Belady's bound.
#include <set>
#include <utility>

#include "bench/replay/queue.hpp"

namespace relay::bench {
namespace {

class Belady final : public Contender {
 public:
  explicit Belady(std::uint64_t capacity) : capacity_(capacity) {}
  Outcome request(const Request& request) override {
    auto known = known_.find(request.hash);
    if (known != known_.end()) {
      order_.erase({known->second.next, request.hash});
      known->second = request;
      order_.insert({request.next, request.hash});
      return {true, 0};
    }
    if (request.bytes > capacity_) return {};
    while (bytes_ + request.bytes > capacity_) evict();
    bytes_ += request.bytes;
    known_[request.hash] = request;
    order_.insert({request.next, request.hash});
    return {false, request.bytes};
  }

 private:
  void evict() {
    auto farthest = std::prev(order_.end());
    bytes_ -= known_[farthest->second].bytes;
    known_.erase(farthest->second);
    order_.erase(farthest);
  }
  std::uint64_t capacity_, bytes_ = 0;
  std::set<std::pair<std::int64_t, std::uint64_t>> order_;
  Table<Request> known_;
};

}  // namespace

std::unique_ptr<Contender> make_belady(std::uint64_t capacity_bytes) {
  return std::make_unique<Belady>(capacity_bytes);
}

}  // namespace relay::bench
