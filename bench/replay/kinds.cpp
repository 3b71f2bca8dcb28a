// Objects and their sizes, and the kinds of traffic in which each request stands alone.
#include "bench/replay/kinds.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "common/base/hash.hpp"

namespace relay::bench {

std::uint64_t hash_of(std::uint64_t id) {
  return hash64({reinterpret_cast<const char*>(&id), sizeof id});
}

std::uint64_t size_of(std::uint64_t hash, double median, double sigma) {
  Dice dice(hash);
  double normal =
      std::sqrt(-2 * std::log(1 - dice.share())) * std::cos(2 * std::numbers::pi * dice.share());
  return static_cast<std::uint64_t>(std::clamp(median * std::exp(sigma * normal), 100.0, 4e9));
}

std::vector<std::uint64_t> ranks(std::size_t count) {
  std::vector<std::uint64_t> ids(count);
  std::iota(ids.begin(), ids.end(), 0);
  return ids;
}

void ask(std::vector<Request>& into, std::uint64_t id, double median, double sigma) {
  std::uint64_t hash = hash_of(id);
  into.push_back({hash, size_of(hash, median, sigma)});
}

void drift(std::vector<Request>& into, std::size_t count, Dice& dice) {
  Zipf zipf(100'000, 0.9);
  std::vector<std::uint64_t> ids = ranks(100'000);
  std::uint64_t next = ids.size();
  for (std::size_t i = 0; i < count; ++i) {
    // One newcomer and one change of ranks every ten requests: the head is another in a few hours.
    if (i % 10 == 0) ids[zipf.rank(dice)] = next++;
    if (i % 10 == 5) std::swap(ids[zipf.rank(dice)], ids[dice.below(ids.size())]);
    ask(into, ids[zipf.rank(dice)], 400e3, 1.0);
  }
}

void scan(std::vector<Request>& into, std::size_t count, Dice& dice) {
  Zipf zipf(150'000, 0.8);
  std::uint64_t at = 0;
  for (std::size_t i = 0; i < count; ++i) {
    bool reads = i / 5000 % 2 == 1 && dice.share() < 0.7;
    ask(into, reads ? hash_of(at++ % 150'000) : hash_of(zipf.rank(dice)), 1e6, 0.6);
  }
}

void live(std::vector<Request>& into, std::size_t count, Dice& dice) {
  Zipf channels(20, 1.1), films(40'000, 0.8);
  for (std::size_t i = 0; i < count; ++i) {
    if (dice.share() < 0.15) {
      ask(into, films.rank(dice), 1.5e6, 0.5);
      continue;
    }
    std::uint64_t channel = channels.rank(dice), rendition = dice.below(5);
    double late = dice.share();
    std::uint64_t behind = late < 0.9    ? dice.below(2)
                           : late < 0.98 ? dice.below(15)
                                         : dice.below(450);
    std::uint64_t newest = 1000 + i / 800;
    ask(into, 1ull << 40 | channel << 32 | rendition << 28 | (newest - behind),
        4e5 * static_cast<double>(1 << rendition), 0.2);
  }
}

void giants(std::vector<Request>& into, std::size_t count, Dice& dice) {
  Zipf small(200'000, 0.85), large(40, 0.7);
  for (std::size_t i = 0; i < count; ++i) {
    if (dice.share() < 0.002) {
      ask(into, 1ull << 40 | large.rank(dice), 1.8e9, 0.3);
    } else {
      ask(into, small.rank(dice), 100e3, 1.2);
    }
  }
}

void web(std::vector<Request>& into, std::size_t count, Dice& dice) {
  Zipf zipf(30'000, 1.0);
  for (std::size_t i = 0; i < count; ++i) {
    if (dice.share() < 0.35) {
      ask(into, 1ull << 40 | i, 60e3, 1.5);
    } else {
      std::uint64_t rank = zipf.rank(dice);
      ask(into, rank, 4e3 * std::pow(static_cast<double>(rank + 1), 0.35), 1.0);
    }
  }
}

}  // namespace relay::bench
