// W-TinyLFU.
#include <algorithm>
#include <array>
#include <bit>
#include <vector>

#include "bench/replay/queue.hpp"

namespace relay::bench {
namespace {

/// Four rows of counters up to 15, halved every ten additions a cached object.
class SmallSketch {
 public:
  explicit SmallSketch(std::size_t columns)
      : columns_(std::bit_ceil(std::max<std::size_t>(columns, 1024))), counters_(4 * columns_) {}
  void add(std::uint64_t hash, std::size_t cached) {
    for (std::size_t row = 0; row < 4; ++row) {
      auto& counter = counters_[at(hash, row)];
      if (counter < 15) ++counter;
    }
    if (++additions_ < 10 * std::max<std::size_t>(cached, 100)) return;
    for (auto& counter : counters_) counter /= 2;
    additions_ /= 2;
  }
  int count(std::uint64_t hash) const {
    int least = 15;
    for (std::size_t row = 0; row < 4; ++row) {
      least = std::min<int>(least, counters_[at(hash, row)]);
    }
    return least;
  }

 private:
  std::size_t at(std::uint64_t hash, std::size_t row) const {
    std::uint64_t mixed = (hash ^ (row + 1) * 0x9e3779b97f4a7c15) * 0xd6e8feb86659fd93;
    return row * columns_ + ((mixed ^ mixed >> 32) & (columns_ - 1));
  }
  std::size_t columns_;
  std::size_t additions_ = 0;
  std::vector<std::uint8_t> counters_;
};

class TinyLfu final : public Contender {
 public:
  explicit TinyLfu(std::uint64_t capacity)
      : window_max_(capacity / 100), main_max_(capacity - window_max_), sketch_(capacity / 65536) {}

  Outcome request(const Request& request) override {
    sketch_.add(request.hash, known_.size());
    auto known = known_.find(request.hash);
    if (known != known_.end()) {
      renew(known->second);
      return {true, 0};
    }
    if (request.bytes > window_max_) return {};
    known_[request.hash] = window_.push({request.hash, request.bytes, in_window});
    while (window_.bytes > window_max_) judge(window_.places.begin());
    return {false, request.bytes};
  }

 private:
  static constexpr int segments = 4;
  static constexpr int in_window = segments;  // a place's uses: its segment, or this

  void renew(Places::iterator at) {
    if (at->uses == in_window) return window_.renew(at);
    if (at->uses == segments - 1) return main_[segments - 1].renew(at);
    main_[at->uses].move_to(main_[at->uses + 1], at);
    ++at->uses;
    for (int i = segments - 1; i > 0; --i) {
      while (main_[i].bytes > main_max_ / segments) {
        main_[i].places.front().uses = i - 1;
        main_[i].move_to(main_[i - 1], main_[i].places.begin());
      }
    }
  }

  /// The candidate against the next victim.
  void judge(Places::iterator candidate) {
    bool wins = main_bytes() + candidate->bytes <= main_max_ ||
                sketch_.count(candidate->hash) > sketch_.count(lowest().places.front().hash);
    if (!wins) return leave(window_, candidate);
    while (main_bytes() + candidate->bytes > main_max_) leave(lowest(), lowest().places.begin());
    candidate->uses = 0;
    window_.move_to(main_[0], candidate);
  }

  std::uint64_t main_bytes() const {
    std::uint64_t sum = 0;
    for (const Queue& queue : main_) sum += queue.bytes;
    return sum;
  }
  Queue& lowest() {
    int i = 0;
    while (main_[i].places.empty() && i < segments - 1) ++i;
    return main_[i];
  }
  void leave(Queue& queue, Places::iterator at) {
    known_.erase(at->hash);
    queue.drop(at);
  }

  std::uint64_t window_max_, main_max_;
  SmallSketch sketch_;
  Queue window_;
  std::array<Queue, segments> main_;
  Table<Places::iterator> known_;
};

}  // namespace

std::unique_ptr<Contender> make_tinylfu(std::uint64_t capacity_bytes) {
  return std::make_unique<TinyLfu>(capacity_bytes);
}

}  // namespace relay::bench
