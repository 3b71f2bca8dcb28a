// What it costs the store thread to keep one more object of 1 KB, with few and with many beside it,
// and when each has to take another's place.
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
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
    "store_cost: microseconds of CPU of the store thread for an object of 1 KB, 64 being handed\n"
    "over at a time, as in a flood of misses\n"
    "  --quick        a twentieth of the objects\n"
    "  --json FILE    {\"rows\": [{objects, evicting, cpu_us, disk_to_books}]}\n"
    "  --help         this text\n"
    "disk_to_books: what the files take, to what the budget counts. The files lie in a folder "
    "below\n"
    "the system's temporary one, gone at the end.\n";

constexpr std::size_t body_bytes = 1000, head_bytes = 300;
constexpr std::uint64_t charge_bytes = 4'600;  // of such an object; a little less than it is
constexpr int in_flight_max = 64;

struct Row {
  std::uint64_t objects;
  bool evicting;
  double cpu_us;
  double disk_to_books;
};

cache::NewObject object_of(int i) {
  return relay::bench::filled_object(
      fmt::format("http://media.example/demo/match-{}/1080p/{}.m4s", i % 97, i), head_bytes,
      body_bytes, static_cast<char>(i));
}

/// Of all threads but this one.
double others_seconds() {
  return seconds_of(CLOCK_PROCESS_CPUTIME_ID) - seconds_of(CLOCK_THREAD_CPUTIME_ID);
}

class Filler {
 public:
  explicit Filler(cache::Cache& store) : store_(store) {}
  /// CPU seconds that so many more took.
  double add(int count) {
    double begin = others_seconds();
    for (int end = next_ + count; next_ < end; ++next_) {
      wait_below(in_flight_max);
      store_.store(object_of(next_), [this](bool) { ++answered_; });
    }
    wait_below(1);
    return others_seconds() - begin;
  }

 private:
  void wait_below(int most) {
    while (next_ - answered_.load() >= most) {
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
  }
  cache::Cache& store_;
  int next_ = 0;
  std::atomic<int> answered_ = 0;
};

double disk_bytes(const std::filesystem::path& folder) {
  double bytes = 0;
  for (const auto& each : std::filesystem::recursive_directory_iterator(folder)) {
    struct stat status{};
    if (::stat(each.path().c_str(), &status) == 0) bytes += 512.0 * status.st_blocks;
  }
  return bytes;
}

std::vector<Row> measure(int most) {
  auto folder =
      std::filesystem::temp_directory_path() / fmt::format("torchrelay-cost-{}", getpid());
  std::vector<Row> rows;
  {
    relay::Metrics metrics;
    // Small bodies may take a quarter of the budget.
    auto store =
        cache::Cache::open({folder.string(), 4 * charge_bytes * static_cast<std::uint64_t>(most)},
                           metrics)
            .value();
    Filler filler(*store);
    int slice = most / 12, filled = 0;
    auto add = [&](int objects) {
      filler.add(objects - slice - filled);
      double seconds = filler.add(slice);
      filled = objects;
      auto stats = store->stats();
      rows.push_back({stats.objects, stats.evictions > 0, seconds * 1e6 / slice,
                      disk_bytes(folder) / static_cast<double>(stats.stored_bytes)});
    };
    for (int objects : {most / 5, most * 9 / 10, most * 3 / 2, most * 2}) add(objects);
  }
  std::filesystem::remove_all(folder);
  return rows;
}

std::string json_of(const Row& row) {
  return fmt::format(
      "{{\"objects\": {}, \"evicting\": {}, \"cpu_us\": {:.2f}, \"disk_to_books\": {:.3f}}}",
      row.objects, row.evicting, row.cpu_us, row.disk_to_books);
}

}  // namespace

int main(int count, char** words) {
  auto read = relay::bench::read_words(count, words, help);
  if (read.stop) return *read.stop;
  auto rows = measure(read.quick ? 12'500 : 250'000);
  fmt::print("{:>9} {:>9} {:>14} {:>14}\n", "objects", "evicting", "us an object", "disk to books");
  for (const Row& row : rows) {
    fmt::print("{:>9} {:>9} {:>14.2f} {:>14.3f}\n", row.objects, row.evicting ? "yes" : "no",
               row.cpu_us, row.disk_to_books);
  }
  return !read.json || relay::bench::write_rows(read.json, rows, json_of) ? 0 : 1;
}
