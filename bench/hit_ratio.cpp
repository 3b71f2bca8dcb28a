// Miss ratios on recorded traces: the edge's own policy (edge/policy), and LRU, SIEVE, S3-FIFO,
// W-TinyLFU, 2Q and Belady's bound at the same bytes.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/replay/contender.hpp"
#include "bench/replay/made.hpp"
#include "bench/replay/trace.hpp"

namespace {

using namespace relay::bench;
using relay::edge::policy::Goal;
using relay::edge::policy::Tally;

constexpr const char* help =
    "hit_ratio [OPTION]... [TRACE]...: object misses, byte misses and bytes written into the "
    "store\n"
    "per byte asked for, of eviction policies on traces, from an empty cache on\n"
    "  TRACE            oracleGeneral file, plain or .zst; default ../shared/traces/*.zst\n"
    "                   made:KIND or made:KIND:SEED is made here: drift, scan, live, giants or\n"
    "                   web, a million requests\n"
    "  --size SHARE     of the trace's working set, as in 1% (default: 1% and 10%); may repeat\n"
    "  --goal GOAL      objects, bytes or writes (default: all three)\n"
    "  --memory SHARE   of the size, for the window; as [cache] memory does for the edge (default: "
    "as\n"
    "                   shipped, which is none, and half for goal writes)\n"
    "  --estimate       what the shadows expect of 0.5, 1, 2 and 4 times the size, beside replays\n"
    "                   of those sizes; no contenders\n"
    "  --quick          the first 200,000 requests of each\n"
    "  --json FILE      {\"rows\": [{trace, size, goal, policy, object_miss, byte_miss,\n"
    "                   bytes_written_per_byte}]}\n"
    "  --help           this text\n"
    "Torchrelay is set up as shipped. A window in memory is part of the size, and only what leaves "
    "it\n"
    "for the store counts as written. Contenders write what they admit.\n";

constexpr Goal goals[] = {Goal::objects, Goal::bytes, Goal::writes};

struct Options {
  std::vector<double> sizes;
  std::vector<Goal> goals;
  std::vector<std::string> traces;
  std::size_t most = SIZE_MAX;
  bool estimate = false;
  std::optional<double> memory_share;
  std::string json;
};

struct Row {
  std::string trace;
  double size;
  std::string goal, policy;
  Tally tally;
};

Tally replay(const Trace& trace, Contender& contender) {
  Tally tally;
  for (const Request& request : trace.requests) {
    tally.add(request.bytes, contender.request(request));
  }
  return tally;
}

void print(const Row& row) {
  fmt::print("{:<16} {:>5} {:<8} {:<11} {:>8.4f} {:>8.4f} {:>8.4f}\n", row.trace, row.size,
             row.goal, row.policy, row.tally.object_miss(), row.tally.byte_miss(),
             row.tally.written());
  std::fflush(stdout);
}

void compare(const Trace& trace, double size, const Options& options, std::vector<Row>& rows) {
  auto capacity = static_cast<std::uint64_t>(size * static_cast<double>(trace.working_set_bytes));
  std::vector<Row> mine;
  auto add = [&](Goal goal, std::string policy, const Tally& tally) {
    mine.push_back(
        {trace.name, size, std::string(relay::edge::policy::name_of(goal)), policy, tally});
  };
  for (Goal goal : options.goals) {
    Ours ours({capacity, goal, options.memory_share});
    add(goal, "torchrelay", replay(trace, ours));
  }
  using Make = std::unique_ptr<Contender> (*)(std::uint64_t);
  const std::pair<const char*, Make> contenders[] = {
      {"lru", make_lru},           {"s3fifo", make_s3fifo}, {"sieve", make_sieve},
      {"w-tinylfu", make_tinylfu}, {"2q", make_two_queues}, {"belady", make_belady}};
  for (const auto& [name, make] : contenders) {
    Tally tally = replay(trace, *make(capacity));
    for (Goal goal : options.goals) add(goal, name, tally);
  }
  std::ranges::sort(mine, {}, &Row::goal);
  for (Row& row : mine) {
    print(row);
    rows.push_back(std::move(row));
  }
}

/// A tally that fades as the tuner's do, and how far the expectations were off it.
void estimate(const Trace& trace, double size, Goal goal, const Options& options) {
  auto capacity = static_cast<std::uint64_t>(size * static_cast<double>(trace.working_set_bytes));
  Ours ours({capacity, goal, options.memory_share});
  std::vector<std::unique_ptr<Ours>> real;
  std::vector<Tally> tallies(4);
  for (double times : {0.5, 1.0, 2.0, 4.0}) {
    auto bytes = static_cast<std::uint64_t>(times * static_cast<double>(capacity));
    real.push_back(std::make_unique<Ours>(Setup{bytes, goal, options.memory_share}));
  }
  std::uint64_t epochs = 0;
  for (const Request& request : trace.requests) {
    ours.request(request);
    for (std::size_t i = 0; i < real.size(); ++i) {
      tallies[i].add(request.bytes, real[i]->request(request));
    }
    if (ours.policy().tuner().epochs() == epochs) continue;
    epochs = ours.policy().tuner().epochs();
    for (Tally& tally : tallies) tally.fade(relay::edge::policy::Tuner::kept);
  }
  const auto& tuner = ours.policy().tuner();
  auto expected = tuner.expectations();
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const auto& e = expected[i];
    fmt::print(
        "{:<16} {:>5} {:<8} {:>4}x {:.4f} +-{:.4f} {:.4f} {:+.4f}   {:.4f} +-{:.4f} {:.4f} {:+.4f} "
        "  {} keys\n",
        trace.name, size, relay::edge::policy::name_of(goal), e.size, e.object_miss, e.object_error,
        tallies[i].object_miss(), e.object_miss - tallies[i].object_miss(), e.byte_miss,
        e.byte_error, tallies[i].byte_miss(), e.byte_miss - tallies[i].byte_miss(),
        tuner.sampled_keys());
  }
  std::fflush(stdout);
}

bool write_json(const std::string& path, const std::vector<Row>& rows) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  if (!file) return false;
  fmt::print(file, "{{\"rows\": [");
  for (const Row& row : rows) {
    fmt::print(
        file,
        "{}\n{{\"trace\": \"{}\", \"size\": {}, \"goal\": \"{}\", \"policy\": \"{}\", "
        "\"object_miss\": {:.4f}, \"byte_miss\": {:.4f}, \"bytes_written_per_byte\": {:.4f}}}",
        &row == rows.data() ? "" : ",", row.trace, row.size, row.goal, row.policy,
        row.tally.object_miss(), row.tally.byte_miss(), row.tally.written());
  }
  fmt::print(file, "\n]}}\n");
  return std::fclose(file) == 0;
}

/// "1%" or "0.01".
std::optional<double> read_share(const std::string& text) {
  char* end = nullptr;
  double share = std::strtod(text.c_str(), &end);
  std::string_view rest = end;
  if (end == text.c_str() || (!rest.empty() && rest != "%")) return std::nullopt;
  if (rest == "%") share /= 100;
  if (!(share >= 0 && share <= 1)) return std::nullopt;
  return share;
}

bool read_size(const std::string& text, std::vector<double>& sizes) {
  auto share = read_share(text);
  if (!share || *share == 0) return false;
  sizes.push_back(*share);
  return true;
}

bool read_goal(std::string_view text, std::vector<Goal>& into) {
  for (Goal goal : goals) {
    if (relay::edge::policy::name_of(goal) != text) continue;
    into.push_back(goal);
    return true;
  }
  return false;
}

/// False: help is needed.
bool read_options(int count, char** words, Options& options) {
  for (int i = 1; i < count; ++i) {
    std::string word = words[i];
    auto value = [&] { return i + 1 < count ? std::string(words[++i]) : std::string(); };
    if (word == "--quick") {
      options.most = 200'000;
    } else if (word == "--estimate") {
      options.estimate = true;
    } else if (word == "--json") {
      options.json = value();
    } else if (word == "--size") {
      if (!read_size(value(), options.sizes)) return false;
    } else if (word == "--memory") {
      options.memory_share = read_share(value());
      if (!options.memory_share) return false;
    } else if (word == "--goal") {
      if (!read_goal(value(), options.goals)) return false;
    } else if (word.starts_with("--")) {
      return false;
    } else {
      options.traces.push_back(word);
    }
  }
  if (options.sizes.empty()) options.sizes = {0.01, 0.1};
  if (options.goals.empty()) options.goals.assign(std::begin(goals), std::end(goals));
  return true;
}

std::vector<std::string> usual_traces() {
  std::vector<std::string> traces;
  std::error_code absent;
  for (const auto& entry : std::filesystem::directory_iterator("../shared/traces", absent)) {
    if (entry.path().string().ends_with(".zst")) traces.push_back(entry.path().string());
  }
  std::ranges::sort(traces);
  return traces;
}

Trace open_trace(const std::string& name, std::size_t most) {
  constexpr std::string_view made = "made:";
  if (!name.starts_with(made)) return read_trace(name, most);
  auto trace = make_trace(std::string_view(name).substr(made.size()),
                          std::min<std::size_t>(most, 1'000'000));
  return trace ? std::move(*trace) : Trace{};
}

}  // namespace

int main(int count, char** words) {
  Options options;
  if (!read_options(count, words, options)) {
    fmt::print("{}", help);
    return std::string_view(words[count - 1]) == "--help" ? 0 : 1;
  }
  if (options.traces.empty()) options.traces = usual_traces();
  if (options.traces.empty()) fmt::print("no traces in ../shared/traces: nothing is measured\n");
  std::vector<Row> rows;
  for (const std::string& path : options.traces) {
    Trace trace = open_trace(path, options.most);
    if (trace.requests.empty()) {
      fmt::print(stderr, "{}: not a trace that can be read\n", path);
      return 1;
    }
    for (double size : options.sizes) {
      if (!options.estimate) {
        compare(trace, size, options, rows);
      } else {
        for (Goal goal : options.goals) estimate(trace, size, goal, options);
      }
    }
  }
  return options.json.empty() || write_json(options.json, rows) ? 0 : 1;
}
