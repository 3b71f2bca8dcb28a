// Miss ratios on recorded traces: edge/cache/policy itself, and LRU, SIEVE, S3-FIFO and Belady's
// bound at the same bytes. Traces are oracleGeneral files: records of 24 bytes (seconds u32, object
// u64, bytes u32, number of the object's next request i64, -1 for none), compressed by zstd.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <list>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/base/hash.hpp"
#include "edge/cache/policy.hpp"

namespace {

constexpr const char* help =
    "hit_ratio: object and byte misses of eviction policies on traces, at 1 % and 10 % of the\n"
    "working set, from an empty cache on, every object admitted\n"
    "  --traces FOLDER  *.oracleGeneral.bin.zst (default ../shared/traces)\n"
    "  --quick          the first 200,000 requests of each\n"
    "  --json FILE      {\"rows\": [{trace, size, goal, policy, object_miss, byte_miss,\n"
    "                   bytes_written_per_byte}]}\n"
    "  --help           this text\n";

struct Request {
  std::uint64_t id;
  std::uint64_t bytes;
  std::int64_t next;  // number of the request that asks for it again; a large one for never
};

/// What every contender answers: is it here; it was used; it came; free at least one object.
class Contender {
 public:
  virtual ~Contender() = default;
  virtual bool use(const Request& request) = 0;
  virtual void insert(const Request& request) = 0;
  virtual std::uint64_t evict() = 0;  // bytes that became free
};

class Ours final : public Contender {
 public:
  bool use(const Request& request) override {
    if (!bytes_.contains(request.id)) return false;
    policy_.touch(request.id);
    return true;
  }
  void insert(const Request& request) override {
    std::uint64_t hash = relay::hash64({reinterpret_cast<const char*>(&request.id), 8});
    policy_.admit(hash);
    policy_.insert(request.id, hash, request.bytes, 1.0);
    bytes_[request.id] = request.bytes;
  }
  std::uint64_t evict() override {
    auto victim = policy_.victim();
    policy_.evict(*victim);
    return bytes_.extract(*victim).mapped();
  }

 private:
  relay::edge::cache::Policy policy_{{}};
  std::unordered_map<std::uint64_t, std::uint64_t> bytes_;
};

/// A queue with a place for every object; LRU moves on use, SIEVE marks and lets a hand pass.
class Queued : public Contender {
 protected:
  struct Entry {
    std::uint64_t id, bytes;
    int uses = 0;
  };
  using Queue = std::list<Entry>;  // the oldest in front
  std::uint64_t drop(Queue& queue, Queue::iterator at) {
    std::uint64_t bytes = at->bytes;
    places_.erase(at->id);
    queue.erase(at);
    return bytes;
  }
  std::unordered_map<std::uint64_t, Queue::iterator> places_;
};

class Lru final : public Queued {
 public:
  bool use(const Request& request) override {
    auto known = places_.find(request.id);
    if (known == places_.end()) return false;
    queue_.splice(queue_.end(), queue_, known->second);
    return true;
  }
  void insert(const Request& request) override {
    places_[request.id] = queue_.insert(queue_.end(), {request.id, request.bytes});
  }
  std::uint64_t evict() override { return drop(queue_, queue_.begin()); }

 private:
  Queue queue_;
};

class Sieve final : public Queued {
 public:
  bool use(const Request& request) override {
    auto known = places_.find(request.id);
    if (known == places_.end()) return false;
    known->second->uses = 1;
    return true;
  }
  void insert(const Request& request) override {
    places_[request.id] = queue_.insert(queue_.end(), {request.id, request.bytes});
  }
  std::uint64_t evict() override {
    for (;; ++hand_) {
      if (hand_ == queue_.end()) hand_ = queue_.begin();
      if (hand_->uses == 0) return drop(queue_, hand_++);
      hand_->uses = 0;
    }
  }

 private:
  Queue queue_;
  Queue::iterator hand_ = queue_.end();
};

/// Small queue of 10 %, main queue with second chances, and a memory of what left the small one.
class S3Fifo final : public Queued {
 public:
  explicit S3Fifo(std::uint64_t size) : small_max_(size / 10) {}
  bool use(const Request& request) override {
    auto known = places_.find(request.id);
    if (known == places_.end()) return false;
    known->second->uses = std::min(known->second->uses + 1, 3);
    return true;
  }
  void insert(const Request& request) override {
    bool remembered = ghosts_.erase(request.id) > 0;
    Queue& queue = remembered ? main_ : small_;
    places_[request.id] = queue.insert(queue.end(), {request.id, request.bytes});
    if (!remembered) small_bytes_ += request.bytes;
  }
  std::uint64_t evict() override {
    while (!small_.empty() && (small_bytes_ > small_max_ || main_.empty())) {
      auto oldest = small_.begin();
      small_bytes_ -= oldest->bytes;
      if (oldest->uses < 2) {
        remember(oldest->id);
        return drop(small_, oldest);
      }
      oldest->uses = 0;
      main_.splice(main_.end(), small_, oldest);
    }
    for (;;) {
      auto oldest = main_.begin();
      if (oldest->uses == 0) return drop(main_, oldest);
      --oldest->uses;
      main_.splice(main_.end(), main_, oldest);
    }
  }

 private:
  void remember(std::uint64_t id) {
    ghosts_.insert(id);
    ghost_order_.push_back(id);
    for (; ghost_order_.size() > std::max<std::size_t>(main_.size(), 16);
         ghost_order_.pop_front()) {
      ghosts_.erase(ghost_order_.front());
    }
  }
  Queue small_, main_;
  std::set<std::uint64_t> ghosts_;
  std::list<std::uint64_t> ghost_order_;
  std::uint64_t small_max_, small_bytes_ = 0;
};

class Belady final : public Contender {
 public:
  bool use(const Request& request) override {
    auto known = places_.find(request.id);
    if (known == places_.end()) return false;
    order_.erase({known->second.next, request.id});
    put(request);
    return true;
  }
  void insert(const Request& request) override { put(request); }
  std::uint64_t evict() override {
    auto farthest = std::prev(order_.end());
    std::uint64_t bytes = places_.extract(farthest->second).mapped().bytes;
    order_.erase(farthest);
    return bytes;
  }

 private:
  void put(const Request& request) {
    places_[request.id] = request;
    order_.insert({request.next, request.id});
  }
  std::set<std::pair<std::int64_t, std::uint64_t>> order_;
  std::unordered_map<std::uint64_t, Request> places_;
};

struct Row {
  std::string trace;
  double size;  // of the working set
  std::string policy;
  double object_miss, byte_miss;
};

Row replay(const std::vector<Request>& requests, std::uint64_t size, Contender& contender) {
  std::uint64_t used = 0, misses = 0, missed = 0, asked = 0;
  for (const Request& request : requests) {
    asked += request.bytes;
    if (contender.use(request)) continue;
    ++misses;
    missed += request.bytes;
    if (request.bytes > size) continue;
    while (used + request.bytes > size) used -= contender.evict();
    contender.insert(request);
    used += request.bytes;
  }
  return {"", 0, "", static_cast<double>(misses) / static_cast<double>(requests.size()),
          static_cast<double>(missed) / static_cast<double>(asked)};
}

std::vector<Request> read_trace(const std::string& path, std::size_t most) {
  std::vector<Request> requests;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(
      popen(fmt::format("zstd -dcq '{}' 2>/dev/null", path).c_str(), "r"), pclose);
  char record[24];
  while (pipe && requests.size() < most && std::fread(record, sizeof record, 1, pipe.get()) == 1) {
    Request request{};
    std::uint32_t bytes = 0;
    std::memcpy(&request.id, record + 4, 8);
    std::memcpy(&bytes, record + 12, 4);
    request.bytes = std::max<std::uint32_t>(bytes, 1);
    requests.push_back(request);
  }
  std::unordered_map<std::uint64_t, std::int64_t> later;
  for (std::size_t i = requests.size(); i-- > 0;) {
    auto [next, first] = later.try_emplace(requests[i].id, INT64_MAX);
    requests[i].next = next->second;
    next->second = static_cast<std::int64_t>(i);
  }
  return requests;
}

std::uint64_t working_set(const std::vector<Request>& requests) {
  std::unordered_map<std::uint64_t, std::uint64_t> sizes;
  for (const Request& request : requests) sizes.try_emplace(request.id, request.bytes);
  std::uint64_t sum = 0;
  for (const auto& [id, bytes] : sizes) sum += bytes;
  return sum;
}

void compare(const std::filesystem::path& path, std::size_t most, std::vector<Row>& rows) {
  std::string trace = path.filename().string();
  trace = trace.substr(0, trace.find('.'));
  auto requests = read_trace(path.string(), most);
  std::uint64_t all = working_set(requests);
  for (double share : {0.01, 0.1}) {
    auto size = static_cast<std::uint64_t>(share * static_cast<double>(all));
    std::vector<std::pair<const char*, std::unique_ptr<Contender>>> contenders;
    contenders.emplace_back("torchrelay", std::make_unique<Ours>());
    contenders.emplace_back("lru", std::make_unique<Lru>());
    contenders.emplace_back("sieve", std::make_unique<Sieve>());
    contenders.emplace_back("s3fifo", std::make_unique<S3Fifo>(size));
    contenders.emplace_back("belady", std::make_unique<Belady>());
    for (auto& [name, contender] : contenders) {
      Row row = replay(requests, size, *contender);
      row.trace = trace;
      row.size = share;
      row.policy = name;
      fmt::print("{:<16} {:>5} {:<11} {:>8.4f} {:>8.4f}\n", trace, share, name, row.object_miss,
                 row.byte_miss);
      std::fflush(stdout);
      rows.push_back(row);
    }
  }
}

bool write_json(const char* path, const std::vector<Row>& rows) {
  std::FILE* file = std::fopen(path, "w");
  if (!file) return false;
  fmt::print(file, "{{\"rows\": [");
  for (const Row& row : rows) {
    fmt::print(
        file,
        "{}\n{{\"trace\": \"{}\", \"size\": {}, \"goal\": \"object\", \"policy\": \"{}\", "
        "\"object_miss\": {:.4f}, \"byte_miss\": {:.4f}, \"bytes_written_per_byte\": {:.4f}}}",
        &row == rows.data() ? "" : ",", row.trace, row.size, row.policy, row.object_miss,
        row.byte_miss, row.byte_miss);
  }
  fmt::print(file, "\n]}}\n");
  return std::fclose(file) == 0;
}

}  // namespace

int main(int count, char** words) {
  std::filesystem::path folder = "../shared/traces";
  std::size_t most = SIZE_MAX;
  const char* json = nullptr;
  for (int i = 1; i < count; ++i) {
    std::string_view word = words[i];
    if (word == "--quick") {
      most = 200'000;
    } else if (word == "--json" && i + 1 < count) {
      json = words[++i];
    } else if (word == "--traces" && i + 1 < count) {
      folder = words[++i];
    } else {
      fmt::print("{}", help);
      return word == "--help" ? 0 : 1;
    }
  }
  std::vector<std::filesystem::path> traces;
  std::error_code absent;
  for (const auto& entry : std::filesystem::directory_iterator(folder, absent)) {
    if (entry.path().string().ends_with(".oracleGeneral.bin.zst")) traces.push_back(entry.path());
  }
  if (traces.empty()) {
    fmt::print("no traces in {}: nothing is measured\n", folder.string());
    return 0;
  }
  std::ranges::sort(traces);
  fmt::print("{:<16} {:>5} {:<11} {:>8} {:>8}\n", "trace", "size", "policy", "objects", "bytes");
  std::vector<Row> rows;
  for (const auto& trace : traces) compare(trace, most, rows);
  return json && !write_json(json, rows) ? 1 : 0;
}
