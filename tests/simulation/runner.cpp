#include "tests/simulation/runner.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>

#include "common/base/log.hpp"
#include "edge/fleet/peer_key.hpp"
#include "tests/simulation/heap.hpp"
#include "tests/simulation/history.hpp"
#include "tests/simulation/seats.hpp"

namespace relay::simulation {
namespace {

// A history takes some milliseconds; of true time more only because a busy machine gives it none.
constexpr unsigned cpu_seconds_max = 20, true_seconds_max = 300;
constexpr std::size_t failures_told = 20;
constexpr std::size_t seats_most = 192;  // of a history's threads

/// What a process leaves in memory that it shares with the one that waits for it.
template <class T>
T* shared() {
  void* at = ::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) std::abort();
  return new (at) T();
}

struct Left {
  bool whole = false;
  Tally tally;
  char failures[4096] = {};
};

struct Share {
  std::uint64_t histories = 0, failed = 0;
  Tally tally;
  struct Told {
    std::uint64_t seed = 0;
    char what[1024] = {};
  };
  Told told[failures_told];
};

void add(Tally& sum, const Tally& more) {
  static_assert(sizeof(Tally) % sizeof(std::uint64_t) == 0);
  auto* into = reinterpret_cast<std::uint64_t*>(&sum);
  const auto* from = reinterpret_cast<const std::uint64_t*>(&more);
  for (std::size_t i = 0; i < sizeof(Tally) / sizeof(std::uint64_t); ++i) into[i] += from[i];
}

void copy(std::string_view text, char* into, std::size_t size) {
  std::size_t n = std::min(text.size(), size - 1);
  std::memcpy(into, text.data(), n);
  into[n] = '\0';
}

/// In memory where there is a file system for it, for a history's stores are written a lot.
std::filesystem::path base_folder() {
  std::filesystem::path memory = "/dev/shm";
  bool there = ::access(memory.c_str(), W_OK) == 0;
  auto base = there ? memory : std::filesystem::temp_directory_path();
  return base / fmt::format("torchrelay-simulation-{}", ::getpid());
}

[[noreturn]] void be_history(std::uint64_t seed, const std::filesystem::path& folder, bool trace,
                             Left& left) {
  rlimit limit{cpu_seconds_max, cpu_seconds_max};
  ::setrlimit(RLIMIT_CPU, &limit);
  ::alarm(true_seconds_max);
  if (!trace) {
    int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    ::dup2(nowhere, STDERR_FILENO);
  }
  log::configure("edge", "info", "text");  // also untold: to tell takes locks and looks at clocks
  use_heap();
  Outcome outcome = live(seed, folder, trace);
  std::string lines;
  for (const std::string& each : outcome.failures) lines += "  " + each + "\n";
  copy(lines, left.failures, sizeof left.failures);
  left.tally = outcome.tally;
  left.whole = true;
  ::_exit(0);  // with its sleeping threads
}

/// In a child, for what it was in the middle of cannot be taken back.
Left live_apart(std::uint64_t seed, const std::filesystem::path& base, bool trace) {
  static Left* left = shared<Left>();
  *left = Left{};
  auto folder = base / std::to_string(seed);
  std::filesystem::create_directories(folder);
  // Without the handlers of fork(): the seats are to stay as they are.
  pid_t child = ::_Fork();
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    be_history(seed, folder, trace, *left);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  std::filesystem::remove_all(folder);
  if (!left->whole) {
    auto how = WIFSIGNALED(status) ? fmt::format("signal {}", WTERMSIG(status))
                                   : fmt::format("status {}", WEXITSTATUS(status));
    copy("  it ended with " + how + "\n", left->failures, sizeof left->failures);
  }
  return *left;
}

/// What a process does once, it need not do in each history again.
void warm_up() {
  set_heap_aside();
  edge::fleet::PeerKey key("a key of sixteen characters");
  key.sign("edge", "GET", "/", WallTime{});
}

/// A turn that goes on to another thread costs far less on the same core.
void stay_on_one_core(unsigned worker) {
  cpu_set_t allowed, chosen;
  CPU_ZERO(&chosen);
  if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
  unsigned skip = worker % static_cast<unsigned>(CPU_COUNT(&allowed));
  for (std::size_t i = 0; i < CPU_SETSIZE; ++i) {
    if (!CPU_ISSET(i, &allowed) || skip-- > 0) continue;
    CPU_SET(i, &chosen);
    break;
  }
  ::sched_setaffinity(0, sizeof chosen, &chosen);
}

void work(const Plan& plan, unsigned worker, Share& share) {
  stay_on_one_core(worker);
  make_seats(seats_most);
  auto base = base_folder();
  for (std::uint64_t i = worker; i < plan.histories; i += plan.workers) {
    std::uint64_t seed = plan.first_seed + i;
    Left left = live_apart(seed, base, false);
    ++share.histories;
    add(share.tally, left.tally);
    if (left.failures[0] == '\0') continue;
    if (share.failed < failures_told) {
      share.told[share.failed].seed = seed;
      copy(left.failures, share.told[share.failed].what, sizeof share.told[0].what);
    }
    ++share.failed;
  }
  std::filesystem::remove_all(base);
}

}  // namespace

Report live_all(const Plan& plan) {
  warm_up();
  std::vector<Share*> shares;
  std::vector<pid_t> workers;
  for (unsigned i = 0; i < plan.workers; ++i) {
    shares.push_back(shared<Share>());
    pid_t child = ::fork();
    if (child == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      work(plan, i, *shares.back());
      ::_exit(0);
    }
    workers.push_back(child);
  }
  for (pid_t worker : workers) ::waitpid(worker, nullptr, 0);
  Report report;
  for (Share* share : shares) {
    report.histories += share->histories;
    report.failed += share->failed;
    add(report.tally, share->tally);
    for (const Share::Told& told : share->told) {
      if (told.seed != 0) report.failures.push_back({told.seed, told.what});
    }
    ::munmap(share, sizeof *share);
  }
  std::ranges::sort(report.failures, {}, &Failure::seed);
  return report;
}

Report live_one(std::uint64_t seed) {
  return live_all({.first_seed = seed, .histories = 1, .workers = 1});
}

bool live_and_trace(std::uint64_t seed) {
  warm_up();
  make_seats(seats_most);
  auto base = base_folder();
  Left left = live_apart(seed, base, true);
  std::filesystem::remove_all(base);
  std::fputs(left.failures, stderr);
  return left.failures[0] == '\0';
}

std::string text_of(const Report& report) {
  const Tally& tally = report.tally;
  return fmt::format(
      "{} histories, {} failed; {} disturbances, {} purges ({} certain)\n"
      "{} requests: {} whole, {} refused by what was down, {} errors and {} broken off where "
      "disturbed\n"
      "{} whole fetches: again after a purge {}, where disturbed {}, small store {}, stale {}; "
      "{} slices, {} rests, {} unchanged, {} renewals in the middle\n"
      "{} turns of threads\n",
      report.histories, report.failed, tally.disturbances, tally.purges, tally.purges_certain,
      tally.answers, tally.whole, tally.refused, tally.errors_excused, tally.broken_excused,
      tally.fetches, tally.again_after_purge, tally.again_disturbed, tally.again_small,
      tally.again_stale, tally.slices, tally.rests, tally.unchanged, tally.renewals, tally.turns);
}

}  // namespace relay::simulation
