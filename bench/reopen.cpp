// How long an edge takes to open a full store again: after it was killed, and after a clean stop.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "bench/stored_objects.hpp"
#include "bench/words.hpp"
#include "common/store/file.hpp"
#include "edge/cache/cache.hpp"

namespace {

namespace cache = relay::edge::cache;

constexpr const char* help =
    "reopen: seconds until a store of a million objects of 1 KB answers again, until one of them\n"
    "is found, and until all are in the index and in the books (stores are taken from then on)\n"
    "  after a kill   the process that filled the store ended without a word\n"
    "  after a stop   it closed the store\n"
    "  a cold one     it closed the store, and the files are not in the page cache any more\n"
    "  --quick        a tenth of the objects\n"
    "  --json FILE    {\"rows\": [{after, objects, seconds, first_hit_ms, whole_seconds, "
    "rss_mb}]}\n"
    "  --help         this text\n"
    "The files, 4 KB an object and more, lie in a folder below the system's temporary one, gone "
    "at\n"
    "the end; but for the cold one they stay in the page cache.\n"
    "Ends with 1 when the store was not open within a second after the kill.\n";

constexpr std::size_t body_bytes = 1000;
// Of the budget: small bodies may take a quarter of it.
constexpr std::uint64_t bytes_an_object = 24'000;
constexpr int in_flight_max = 4'000;
constexpr double open_seconds_max = 1;  // after a kill

struct Row {
  std::string after;
  std::uint64_t objects;
  double seconds;
  double first_hit_ms;
  double whole_seconds;
  double rss_mb;
};

std::string key_of(int i) {
  return fmt::format("/demo/match-{}/7/1080p/{}.m4s", i % 100, i);
}

cache::NewObject object_of(int i) {
  return relay::bench::filled_object(key_of(i), 250, body_bytes, static_cast<char>(i));
}

/// Stores them all; how many were taken.
int fill(cache::Cache& store, int objects) {
  std::atomic<int> answered = 0, stored = 0;
  for (int i = 0; i < objects; ++i) {
    while (i - answered.load() > in_flight_max) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    store.store(object_of(i), [&](bool taken) {
      stored += taken;
      ++answered;
    });
  }
  while (answered.load() < objects) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return stored;
}

/// In a process of its own, which then dies without closing anything.
bool fill_and_die(const cache::CacheOptions& options, int objects) {
  pid_t child = fork();
  if (child == 0) {
    relay::Metrics metrics;
    auto store = cache::Cache::open(options, metrics);
    if (!store) _exit(2);
    _exit(fill(**store, objects) == objects ? 0 : 3);
  }
  int status = 0;
  return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

double rss_mb() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t pages = 0;
  file >> pages >> pages;
  return static_cast<double>(pages) * 4096 / (1 << 20);
}

/// Takes the store's files out of the page cache. (What is not on disk yet would stay there.)
void cool_down(const std::filesystem::path& folder) {
  for (const auto& each : std::filesystem::recursive_directory_iterator(folder)) {
    if (!each.is_regular_file()) continue;
    auto file = relay::store::open_read(each.path());
    bool cold = file && relay::store::sync(file->get()) &&
                ::posix_fadvise(file->get(), 0, 0, POSIX_FADV_DONTNEED) == 0;
    if (!cold) fmt::print(stderr, "reopen: {} stays in memory\n", each.path().string());
  }
}

std::vector<Row> measure(int objects) {
  auto folder =
      std::filesystem::temp_directory_path() / fmt::format("torchrelay-reopen-{}", getpid());
  cache::CacheOptions options{
      folder.string(), static_cast<std::uint64_t>(objects) * bytes_an_object + (256ull << 20)};
  std::vector<Row> rows;
  if (!fill_and_die(options, objects)) fmt::print(stderr, "reopen: the store cannot be filled\n");
  for (std::string_view after : {"a kill", "a stop", "a cold one"}) {
    relay::Metrics metrics;
    if (after == "a cold one") cool_down(folder);
    auto begin = std::chrono::steady_clock::now();
    auto since = [&] {
      return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    };
    auto store = cache::Cache::open(options, metrics);
    if (!store) {
      fmt::print(stderr, "reopen: {}\n", store.error().message);
      break;
    }
    double opened = since();
    bool found = (*store)->find(key_of(objects / 2)) != nullptr;
    double first_hit_ms = (since() - opened) * 1000;
    if (!found) fmt::print(stderr, "reopen: an object is missing\n");
    (*store)->wait_until_whole();
    rows.push_back(
        {std::string(after), (*store)->stats().objects, opened, first_hit_ms, since(), rss_mb()});
  }
  std::filesystem::remove_all(folder);
  return rows;
}

std::string json_of(const Row& row) {
  return fmt::format(
      "{{\"after\": \"{}\", \"objects\": {}, \"seconds\": {:.3f}, \"first_hit_ms\": {:.3f}, "
      "\"whole_seconds\": {:.3f}, \"rss_mb\": {:.0f}}}",
      row.after, row.objects, row.seconds, row.first_hit_ms, row.whole_seconds, row.rss_mb);
}

}  // namespace

int main(int count, char** words) {
  auto read = relay::bench::read_words(count, words, help);
  if (read.stop) return *read.stop;
  auto rows = measure(read.quick ? 100'000 : 1'000'000);
  fmt::print("{:<12} {:>9} {:>9} {:>14} {:>9} {:>8}\n", "opened after", "objects", "seconds",
             "first hit ms", "whole s", "rss MiB");
  for (const Row& row : rows) {
    fmt::print("{:<12} {:>9} {:>9.3f} {:>14.3f} {:>9.3f} {:>8.0f}\n", row.after, row.objects,
               row.seconds, row.first_hit_ms, row.whole_seconds, row.rss_mb);
  }
  bool written = !read.json || relay::bench::write_rows(read.json, rows, json_of);
  bool in_time = !rows.empty() && rows.front().seconds < open_seconds_max;
  if (!in_time) fmt::print("after a kill it took longer than {} s\n", open_seconds_max);
  return written && rows.size() == 3 && in_time ? 0 : 1;
}
