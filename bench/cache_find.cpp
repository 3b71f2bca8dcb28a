// What a hit costs in the cache itself: find() with its report to the policy, and a piece, on
// random keys and on one alone, from one and from two threads; and what storing costs. CPU time
// where one thread works alone, else wall time.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "bench/stored_objects.hpp"
#include "bench/words.hpp"
#include "edge/cache/cache.hpp"

namespace {

namespace cache = relay::edge::cache;
using relay::bench::seconds_of;

constexpr const char* help =
    "cache_find: nanoseconds of a find (hit) and a piece, and of a store\n"
    "find: of random keys; find_hot: all threads find the same one\n"
    "  --quick      fewer finds\n"
    "  --json FILE  {\"rows\": [{operation, threads, objects, size, ns}]}\n"
    "  --help       this text\n"
    "Objects lie in a folder below the system's temporary one, gone at the end.\n";

struct Row {
  std::string operation;  // store, find, find_hot
  int threads;
  int objects;
  std::size_t size;
  double ns;
};

std::string key_of(int i) {
  return fmt::format("http://127.0.0.1:7101/demo/match/7/1080p/{}.m4s", i);
}

cache::NewObject object_of(int i, std::size_t size) {
  return relay::bench::filled_object(key_of(i), 300, size, static_cast<char>(i));
}

double store_all(cache::Cache& store, int objects, std::size_t size) {
  double ns = 0;
  for (int i = 0; i < objects;) {
    std::vector<cache::NewObject> batch;
    for (int n = 0; n < 16 && i < objects; ++n) batch.push_back(object_of(i++, size));
    std::promise<void> last;
    std::size_t left = batch.size();
    double begin = seconds_of(CLOCK_MONOTONIC);
    for (auto& each : batch) {
      store.store(std::move(each), [&](bool) {
        if (--left == 0) last.set_value();
      });
    }
    last.get_future().wait();
    ns += (seconds_of(CLOCK_MONOTONIC) - begin) * 1e9;
  }
  return ns / objects;
}

void find_many(cache::Cache& store, const std::vector<std::string>& keys, int finds,
               std::uint64_t seed, std::uint64_t& sum) {
  for (int i = 0; i < finds; ++i) {
    seed = seed * 6364136223846793005 + 1442695040888963407;
    if (auto pin = store.find(keys[(seed >> 33) % keys.size()])) sum += pin->piece(0).size;
  }
}

double find_ns(cache::Cache& store, const std::vector<std::string>& keys, int finds, int threads) {
  std::uint64_t sum = 0;
  if (threads == 1) {
    double begin = seconds_of(CLOCK_THREAD_CPUTIME_ID);
    find_many(store, keys, finds, 1, sum);
    return (seconds_of(CLOCK_THREAD_CPUTIME_ID) - begin) * 1e9 / finds;
  }
  std::vector<std::thread> all;
  std::vector<std::uint64_t> sums(static_cast<std::size_t>(threads) * 8);
  double begin = seconds_of(CLOCK_MONOTONIC);
  for (int i = 0; i < threads; ++i) {
    all.emplace_back([&, i] { find_many(store, keys, finds, i + 7u, sums[i * 8u]); });
  }
  for (auto& each : all) each.join();
  return (seconds_of(CLOCK_MONOTONIC) - begin) * 1e9 / finds;
}

std::vector<Row> measure(bool quick) {
  auto folder = std::filesystem::temp_directory_path() / fmt::format("cache-find-{}", getpid());
  std::vector<Row> rows;
  for (auto [objects, size] : {std::pair{20'000, std::size_t{1000}}, {400, std::size_t{1} << 20}}) {
    relay::Metrics metrics;
    auto store = cache::Cache::open({folder.string(), 2ull << 30}, metrics);
    if (!store) {
      fmt::print(stderr, "{}\n", store.error().message);
      return rows;
    }
    rows.push_back({"store", 1, objects, size, store_all(**store, objects, size)});
    std::vector<std::string> keys;
    for (int i = 0; i < objects; ++i) keys.push_back(key_of(i));
    int finds = quick ? 500'000 : 5'000'000;
    for (int threads : {1, 2}) {
      rows.push_back({"find", threads, objects, size, find_ns(**store, keys, finds, threads)});
    }
    for (int threads : {1, 2}) {
      double ns = find_ns(**store, {keys.front()}, finds, threads);
      rows.push_back({"find_hot", threads, objects, size, ns});
    }
    store->reset();
    std::filesystem::remove_all(folder);
  }
  return rows;
}

std::string json_of(const Row& row) {
  return fmt::format(
      "{{\"operation\": \"{}\", \"threads\": {}, \"objects\": {}, \"size\": {}, \"ns\": {:.0f}}}",
      row.operation, row.threads, row.objects, row.size, row.ns);
}

}  // namespace

int main(int count, char** words) {
  auto read = relay::bench::read_words(count, words, help);
  if (read.stop) return *read.stop;
  auto rows = measure(read.quick);
  fmt::print("{:<8} {:>7} {:>8} {:>9} {:>12}\n", "", "threads", "objects", "bytes", "ns each");
  for (const Row& row : rows) {
    fmt::print("{:<8} {:>7} {:>8} {:>9} {:>12.0f}\n", row.operation, row.threads, row.objects,
               row.size, row.ns);
  }
  bool written = !read.json || relay::bench::write_rows(read.json, rows, json_of);
  return written && !rows.empty() ? 0 : 1;
}
