// How evenly keys and requests lie on the members of a fleet, and what moves when it changes: the
// edge's own ring and placement beside ketama.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "bench/words.hpp"
#include "common/base/hash.hpp"
#include "edge/fleet/placement.hpp"

namespace {

using namespace relay::edge::fleet;

constexpr const char* help =
    "placement: who is asked for which key in a fleet of 10, 50 and 200 edges, by the code of the\n"
    "edge; beside it ketama (160 points a weight of 1 on a ring, as nginx `hash ... consistent`)\n"
    "and, for load, rendezvous hashing without more (the owner is asked, whatever its load)\n"
    "  keys         peak to mean of a million keys, equal weights\n"
    "  weights      largest error of a member's keys of four million, weights 0.5, 1, 2, 4 in "
    "turn\n"
    "  moved        part of the keys that moved between members that had no cause for it\n"
    "  load         peak to mean of requests in all: Zipf 1.0 over 100,000 keys, viewers spread "
    "by\n"
    "               chance, 200 requests a second and edge. Edges keep what they own or were "
    "asked\n"
    "               for as a copy, not what they asked for; a copy's own fetch counts at the "
    "owner.\n"
    "    window     the same of the worst 2,000 requests a member, but for the first\n"
    "    copies     beyond one a key, by key\n"
    "    aside      part of the requests that others than the owner answered\n"
    "  --quick      half the keys and a third of the requests\n"
    "  --json FILE  {\"rows\": [{measure, scheme, members, value, window, copies, aside}]}\n"
    "  --help       this text\n";

struct Row {
  std::string measure, scheme;
  std::size_t members;
  double value;       // peak to mean, or a part of 1
  double window = 0;  // load: the worst window
  double copies = 0;  // load: beyond one a key, by key
  double aside = 0;   // load: part of the requests
};

/// The ring of points that libketama, nginx and others use.
class Ketama {
 public:
  explicit Ketama(const std::vector<Member>& members) {
    for (std::size_t i = 0; i < members.size(); ++i) {
      auto points = static_cast<int>(std::lround(160 * members[i].weight));
      for (int n = 0; n < points; ++n) {
        points_.push_back({relay::hash64(fmt::format("{}-{}", members[i].name, n)), i});
      }
    }
    std::ranges::sort(points_);
  }
  std::size_t owner(std::uint64_t hash) const {
    auto at = std::ranges::lower_bound(points_, std::pair{hash, std::size_t{0}});
    return at == points_.end() ? points_.front().second : at->second;
  }

 private:
  std::vector<std::pair<std::uint64_t, std::size_t>> points_;
};

std::vector<Member> fleet_of(std::size_t count) {
  std::vector<Member> members;
  for (std::size_t i = 0; i < count; ++i) {
    members.push_back({fmt::format("edge-{:03}", i), "http://127.0.0.1:1", 1.0, ""});
  }
  return members;
}

std::uint64_t hash_of(std::size_t i) {
  return ring_hash(fmt::format("/demo/match-{}/v1/720p/{}.m4s", i % 100, i));
}

/// The owners of `keys` keys, as indexes into `members`.
std::vector<std::size_t> owners_of(std::string_view scheme, const std::vector<Member>& members,
                                   std::size_t keys) {
  Ketama ketama(members);
  Ring ring(members);  // sorts by name, as fleet_of() does
  std::vector<std::size_t> owners(keys);
  for (std::size_t i = 0; i < keys; ++i) {
    owners[i] = scheme == "ketama" ? ketama.owner(hash_of(i)) : ring.owner(hash_of(i));
  }
  return owners;
}

double peak_to_mean(const std::vector<double>& loads) {
  double sum = 0;
  for (double load : loads) sum += load;
  return *std::ranges::max_element(loads) * static_cast<double>(loads.size()) / sum;
}

std::vector<double> counted(const std::vector<std::size_t>& owners, std::size_t members) {
  std::vector<double> count(members);
  for (std::size_t owner : owners) count[owner] += 1;
  return count;
}

double weight_error(std::string_view scheme, std::size_t count, std::size_t keys) {
  auto members = fleet_of(count);
  double sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += members[i].weight = 0.5 * (1 << i % 4);
  auto held = counted(owners_of(scheme, members, keys), count);
  double worst = 0;
  for (std::size_t i = 0; i < count; ++i) {
    double fair = static_cast<double>(keys) * members[i].weight / sum;
    worst = std::max(worst, std::abs(held[i] / fair - 1));
  }
  return worst;
}

/// Keys, of all, that changed hands between members that have no cause for it: the changed member
/// is on neither side.
double excess(std::string_view scheme, const std::vector<Member>& before,
              const std::vector<Member>& after, std::string_view changed, std::size_t keys) {
  auto was = owners_of(scheme, before, keys);
  auto is = owners_of(scheme, after, keys);
  std::size_t moved = 0;
  for (std::size_t i = 0; i < keys; ++i) {
    const std::string &from = before[was[i]].name, &to = after[is[i]].name;
    moved += from != to && from != changed && to != changed;
  }
  return static_cast<double>(moved) / static_cast<double>(keys);
}

void add_movement(std::vector<Row>& rows, std::string_view scheme, std::size_t count,
                  std::size_t keys) {
  auto few = fleet_of(count), more = fleet_of(count + 1), heavier = fleet_of(count);
  std::string middle = few[count / 2].name;
  heavier[count / 2].weight = 2;
  auto without = few;
  without.erase(without.begin() + static_cast<std::ptrdiff_t>(count / 2));
  auto add = [&](const char* name, double value) {
    rows.push_back({name, std::string(scheme), count, value});
  };
  add("moved: joins", excess(scheme, few, more, more.back().name, keys));
  add("moved: leaves", excess(scheme, few, without, middle, keys));
  add("moved: weight", excess(scheme, few, heavier, middle, keys));
}

/// A key by Zipf's law with exponent 1.
class Zipf {
 public:
  explicit Zipf(std::size_t keys) {
    double sum = 0;
    for (std::size_t i = 1; i <= keys; ++i) below_.push_back(sum += 1.0 / static_cast<double>(i));
  }
  std::size_t operator()(std::mt19937_64& random) const {
    std::uniform_real_distribution<double> any(0, below_.back());
    auto at = std::ranges::lower_bound(below_, any(random)) - below_.begin();
    return std::min(static_cast<std::size_t>(at), below_.size() - 1);
  }

 private:
  std::vector<double> below_;
};

/// One request of edge `asker`: whom it reaches first, and whom that one asks for it.
class Fleet {
 public:
  Fleet(std::string_view scheme, std::size_t count)
      : scheme_(scheme),
        members_(fleet_of(count)),
        ketama_(members_),
        ring_(std::make_shared<const Ring>(members_)),
        up_(count, true) {
    for (const Member& member : members_) {
      placements_.push_back(std::make_unique<Placement>(member.name, Spread::object));
    }
  }
  std::size_t owner(const std::string& key) const {
    return scheme_ == "ketama" ? ketama_.owner(ring_hash(key)) : ring_->owner(ring_hash(key));
  }
  std::size_t asked(std::size_t asker, const std::string& key, std::size_t owner,
                    relay::SteadyTime now) {
    if (scheme_ != "torchrelay") return owner;
    auto list =
        placements_[asker]->candidates(ring_, up_, key, Placement::Want::any_holder, 2, now);
    return list.empty() ? asker : list.front();
  }

 private:
  std::string scheme_;
  std::vector<Member> members_;
  Ketama ketama_;
  std::shared_ptr<const Ring> ring_;
  std::vector<bool> up_;
  std::vector<std::unique_ptr<Placement>> placements_;
};

Row load_row(std::string_view scheme, std::size_t count, std::size_t requests_a_member) {
  constexpr std::size_t keys = 100'000, requests_a_second = 200, window = 2'000;
  Fleet fleet(scheme, count);
  Zipf zipf(keys);
  std::vector<std::string> names;
  std::vector<std::size_t> owners;
  for (std::size_t i = 0; i < keys; ++i) {
    names.push_back(fmt::format("/demo/match-{}/v1/720p/{}.m4s", i % 100, i));
    owners.push_back(fleet.owner(names.back()));
  }
  std::mt19937_64 random(1);
  std::vector<double> all(count), lately(count);
  std::unordered_set<std::size_t> held;
  std::size_t copies = 0, aside = 0, requests = requests_a_member * count;
  Row row{"load", std::string(scheme), count, 0};
  for (std::size_t i = 0; i < requests; ++i) {
    std::size_t rank = zipf(random), owner = owners[rank];
    relay::SteadyTime now{
        std::chrono::nanoseconds(1'000'000'000 + i * 1'000'000'000 / (requests_a_second * count))};
    std::size_t asker = random() % count;
    bool has = held.contains(rank * count + asker);
    std::size_t asked = has ? asker : fleet.asked(asker, names[rank], owner, now);
    bool first = !has && held.insert(rank * count + asked).second;
    aside += asked != owner;
    copies += asked != owner && first;
    for (auto* loads : {&all, &lately}) {
      (*loads)[asked] += 1;
      if (asked != owner && first) (*loads)[owner] += 1;
    }
    if ((i + 1) % (window * count) != 0) continue;
    // The first is for learning what is hot.
    if (i > window * count) row.window = std::max(row.window, peak_to_mean(lately));
    std::ranges::fill(lately, 0);
  }
  row.value = peak_to_mean(all);
  row.copies = static_cast<double>(copies) / keys;
  row.aside = static_cast<double>(aside) / static_cast<double>(requests);
  return row;
}

std::vector<Row> measure(bool quick) {
  std::size_t keys = quick ? 500'000 : 1'000'000;
  std::vector<Row> rows;
  for (std::size_t count : {10u, 50u, 200u}) {
    for (const char* scheme : {"ketama", "torchrelay"}) {
      auto owners = owners_of(scheme, fleet_of(count), keys);
      rows.push_back({"keys", scheme, count, peak_to_mean(counted(owners, count))});
      // Of too few keys a member the error would be that of the sample.
      if (count <= 50) {
        rows.push_back({"weights", scheme, count, weight_error(scheme, count, 4 * keys)});
      }
      add_movement(rows, scheme, count, keys / 10);
    }
    for (const char* scheme : {"ketama", "rendezvous", "torchrelay"}) {
      rows.push_back(load_row(scheme, count, quick ? 6'000 : 20'000));
    }
  }
  return rows;
}

void print(const std::vector<Row>& rows) {
  fmt::print("{:<14} {:<11} {:>7} {:>8} {:>8} {:>8} {:>7}\n", "measure", "scheme", "members",
             "value", "window", "copies", "aside");
  for (const Row& row : rows) {
    fmt::print("{:<14} {:<11} {:>7} {:>8.4f}", row.measure, row.scheme, row.members, row.value);
    if (row.measure == "load") {
      fmt::print(" {:>8.4f} {:>8.4f} {:>7.4f}", row.window, row.copies, row.aside);
    }
    fmt::print("\n");
  }
}

std::string json_of(const Row& row) {
  std::string text =
      fmt::format("{{\"measure\": \"{}\", \"scheme\": \"{}\", \"members\": {}, \"value\": {}",
                  row.measure, row.scheme, row.members, row.value);
  if (row.measure == "load") {
    text += fmt::format(", \"window\": {}, \"copies\": {}, \"aside\": {}", row.window, row.copies,
                        row.aside);
  }
  return text + "}";
}

}  // namespace

int main(int count, char** words) {
  relay::bench::Words read = relay::bench::read_words(count, words, help);
  if (read.stop) return *read.stop;
  auto rows = measure(read.quick);
  print(rows);
  if (read.json && !relay::bench::write_rows(read.json, rows, json_of)) return 1;
  return 0;
}
