// Miss ratios on recorded traces: the edge's own policy (edge/policy), and LRU, SIEVE, S3-FIFO,
// W-TinyLFU, 2Q and Belady's bound at the same bytes.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/replay/bars.hpp"
#include "bench/replay/contender.hpp"
#include "bench/replay/estimate.hpp"
#include "bench/replay/made.hpp"
#include "bench/replay/trace.hpp"

namespace {

using namespace relay::bench;
using relay::edge::policy::Goal;
using relay::edge::policy::name_of;
using relay::edge::policy::Tally;

constexpr const char* help =
    "hit_ratio [OPTION]... [TRACE]...: object misses, byte misses and bytes written into the "
    "store\n"
    "per byte asked for, of eviction policies on traces, from an empty cache on\n"
    "  TRACE            oracleGeneral file, plain or .zst; default ../shared/traces/*.zst\n"
    "                   made:KIND or made:KIND:SEED is made here: drift, scan, live, giants, web,\n"
    "                   downloads, updates, gallery or catalogue, a million requests\n"
    "  --size SHARE     of the trace's working set, as in 1% (default: 1% and 10%); may repeat\n"
    "  --goal GOAL      objects, bytes or writes (default: all three)\n"
    "  --memory SHARE   of the size, for the window; as [cache] memory does for the edge (default: "
    "as\n"
    "                   shipped, which is none, and half for goal writes)\n"
    "  --estimate       what the shadows expect of 0.5, 1, 2 and 4 times the size: object miss, "
    "the\n"
    "                   error told, a replay's, the difference; then the same of bytes; no "
    "contenders\n"
    "  --quick          the first 200,000 requests of each\n"
    "  --json FILE      {\"rows\": [{trace, size, goal, policy, object_miss, byte_miss,\n"
    "                   bytes_written_per_byte, bar_holds (ours only)}]}\n"
    "  --help           this text\n"
    "A row is object miss, byte miss, bytes written. Each goal's bar, for LRU, S3-FIFO, SIEVE,\n"
    "W-TinyLFU and 2Q, stands below its rows: objects: object miss at most their best + 0.001; "
    "bytes:\n"
    "byte miss at most their best + 0.006; writes: at 1% and less a quarter of what LRU writes, "
    "above a\n"
    "half, and object miss at most LRU's. A window in memory is part of the size, and only what "
    "leaves\n"
    "it for the store counts as written; rivals write what they admit.\n";

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
  std::optional<bool> bar;  // whether ours holds it
};

struct Report {
  std::vector<Row> rows;
  int bars = 0, bars_held = 0;
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

Setup setup_of(const Trace& trace, double size, Goal goal, const Options& options) {
  double bytes = size * static_cast<double>(trace.working_set_bytes);
  return {static_cast<std::uint64_t>(bytes), goal, options.memory_share};
}

std::vector<Rival> replay_rivals(const Trace& trace, std::uint64_t capacity_bytes) {
  using Make = std::unique_ptr<Contender> (*)(std::uint64_t);
  constexpr std::pair<const char*, Make> makes[] = {{"lru", make_lru},
                                                    {"s3fifo", make_s3fifo},
                                                    {"sieve", make_sieve},
                                                    {"w-tinylfu", make_tinylfu},
                                                    {"2q", make_two_queues}};
  std::vector<Rival> rivals;
  for (const auto& [name, make] : makes)
    rivals.push_back({name, replay(trace, *make(capacity_bytes))});
  return rivals;
}

/// One goal's rows, ours first, and its bar.
void show(std::vector<Row> mine, const Bar& bar, Report& report) {
  mine.front().bar = bar.holds;
  for (Row& row : mine) {
    print(row);
    report.rows.push_back(std::move(row));
  }
  const Row& last = report.rows.back();
  fmt::print("{:<16} {:>5} {:<8} bar {}: {}\n", last.trace, last.size, last.goal,
             bar.holds ? "holds" : "MISSED", bar.text);
  std::fflush(stdout);
  ++report.bars, report.bars_held += bar.holds;
}

void compare(const Trace& trace, double size, const Options& options, Report& report) {
  auto capacity = setup_of(trace, size, Goal::objects, options).capacity_bytes;
  std::vector<Rival> rivals = replay_rivals(trace, capacity);
  Tally bound = replay(trace, *make_belady(capacity));
  for (Goal goal : options.goals) {
    Ours ours(setup_of(trace, size, goal, options));
    Tally tally = replay(trace, ours);
    std::vector<Row> mine;
    auto add = [&](std::string_view policy, const Tally& each) {
      mine.push_back({trace.name, size, std::string(name_of(goal)), std::string(policy), each, {}});
    };
    add("torchrelay", tally);
    for (const auto& [name, each] : rivals) add(name, each);
    add("belady", bound);
    show(std::move(mine), judge(goal, size, tally, rivals), report);
  }
}

void estimate_all(const Trace& trace, double size, const Options& options,
                  std::vector<Estimate>& estimates) {
  for (Goal goal : options.goals) {
    for (const Estimate& each : estimate(trace, setup_of(trace, size, goal, options))) {
      fmt::print("{:<16} {:>5} {:<8} {}\n", trace.name, size, name_of(goal), text_of(each));
      estimates.push_back(each);
    }
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
        "\"object_miss\": {:.4f}, \"byte_miss\": {:.4f}, \"bytes_written_per_byte\": {:.4f}{}}}",
        &row == rows.data() ? "" : ",", row.trace, row.size, row.goal, row.policy,
        row.tally.object_miss(), row.tally.byte_miss(), row.tally.written(),
        row.bar ? fmt::format(", \"bar_holds\": {}", *row.bar) : "");
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
    if (name_of(goal) != text) continue;
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
  Report report;
  std::vector<Estimate> estimates;
  for (const std::string& path : options.traces) {
    Trace trace = open_trace(path, options.most);
    if (trace.requests.empty()) {
      fmt::print(stderr, "{}: not a trace that can be read\n", path);
      return 1;
    }
    for (double size : options.sizes) {
      options.estimate ? estimate_all(trace, size, options, estimates)
                       : compare(trace, size, options, report);
    }
  }
  if (!estimates.empty()) fmt::print("{}", sum_up(estimates));
  if (report.bars > 0) fmt::print("{} of {} bars hold\n", report.bars_held, report.bars);
  return options.json.empty() || write_json(options.json, report.rows) ? 0 : 1;
}
