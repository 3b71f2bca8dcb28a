#include "bench/replay/made.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numbers>
#include <random>

#include "common/base/hash.hpp"

namespace relay::bench {
namespace {

/// The standard fixes the engine's numbers, but not those of its distributions.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  double share() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }
  std::uint64_t below(std::uint64_t count) { return engine_() % count; }

 private:
  std::mt19937_64 engine_;
};

class Zipf {
 public:
  Zipf(std::size_t count, double exponent) {
    double sum = 0;
    for (std::size_t rank = 1; rank <= count; ++rank) {
      sums_.push_back(sum += std::pow(static_cast<double>(rank), -exponent));
    }
  }
  std::size_t rank(Dice& dice) const {
    double at = dice.share() * sums_.back();
    auto found = std::ranges::upper_bound(sums_, at);
    return std::min<std::size_t>(static_cast<std::size_t>(found - sums_.begin()), sums_.size() - 1);
  }

 private:
  std::vector<double> sums_;
};

std::uint64_t hash_of(std::uint64_t id) {
  return hash64({reinterpret_cast<const char*>(&id), sizeof id});
}

/// Log-normal about a median, the same for an object each time.
std::uint64_t size_of(std::uint64_t hash, double median, double sigma) {
  Dice dice(hash);
  double normal =
      std::sqrt(-2 * std::log(1 - dice.share())) * std::cos(2 * std::numbers::pi * dice.share());
  return static_cast<std::uint64_t>(std::clamp(median * std::exp(sigma * normal), 100.0, 4e9));
}

using Ask = void (*)(std::vector<Request>& into, std::size_t count, Dice& dice);

void ask(std::vector<Request>& into, std::uint64_t id, double median, double sigma) {
  std::uint64_t hash = hash_of(id);
  into.push_back({hash, size_of(hash, median, sigma)});
}

void drift(std::vector<Request>& into, std::size_t count, Dice& dice) {
  Zipf zipf(100'000, 0.9);
  std::vector<std::uint64_t> ids(100'000);
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = i;
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

constexpr std::pair<std::string_view, Ask> kinds[] = {
    {"drift", drift}, {"scan", scan}, {"live", live}, {"giants", giants}, {"web", web}};

/// Of "" (none was given) or ":SEED".
std::optional<std::uint64_t> seed_of(std::string_view text) {
  std::uint64_t seed = 0;
  if (text.empty()) return seed;
  auto [end, error] = std::from_chars(text.data() + 1, text.data() + text.size(), seed);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return seed;
}

}  // namespace

std::optional<Trace> make_trace(std::string_view what, std::size_t requests) {
  auto colon = what.find(':');
  auto seed = seed_of(what.substr(std::min(colon, what.size())));
  for (const auto& [name, make] : kinds) {
    if (name != what.substr(0, colon) || !seed) continue;
    Dice dice(hash64(name, *seed));
    Trace trace;
    trace.name = what;
    make(trace.requests, requests, dice);
    link(trace);
    return trace;
  }
  return std::nullopt;
}

}  // namespace relay::bench
