#include "origin/jobs/process.hpp"

#include "common/base/sanitizers.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

extern char** environ;

namespace relay::origin::jobs {
namespace {

// Sanitizers reserve terabytes of shadow memory, which such a limit counts.
constexpr bool memory_can_be_limited = !sanitized;

std::unexpected<Error> start_error(const std::string& what, int errno_value) {
  return fail(ErrorKind::internal, ErrorSource::internal,
              "the transcoder cannot be started: " + what + ": " + std::strerror(errno_value),
              true);
}

// A file in memory: nobody has to write while the other side reads.
Result<store::UniqueFd> job_file(const std::string& job) {
  store::UniqueFd file(memfd_create("job", MFD_CLOEXEC));
  if (!file) return start_error("memfd_create", errno);
  if (auto written = store::write_all(file.get(), job); !written)
    return std::unexpected(written.error());
  lseek(file.get(), 0, SEEK_SET);
  return file;
}

Result<store::UniqueFd> source_of(const ProcessOptions& options) {
  if (options.source < 0) return store::open_read(options.source_path);
  store::UniqueFd copy(fcntl(options.source, F_DUPFD_CLOEXEC, 0));
  if (!copy) return start_error("dup", errno);
  return copy;
}

// posix_spawn's two attribute objects, freed in every case.
class SpawnPlan {
 public:
  SpawnPlan() {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
    // Signals as in a fresh program, whatever our threads block or ignore.
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  // In two steps, for a target may be the number of another source.
  void hand_over(int job, int source, int connection) {
    constexpr int first_spare = 100;
    int from[] = {job, source, connection}, to[] = {0, 3, 4};
    for (int i = 0; i < 3; ++i)
      posix_spawn_file_actions_adddup2(&actions_, from[i], first_spare + i);
    for (int i = 0; i < 3; ++i) posix_spawn_file_actions_adddup2(&actions_, first_spare + i, to[i]);
    posix_spawn_file_actions_addclosefrom_np(&actions_, 5);
  }
  int spawn(pid_t& pid, const std::string& program, std::vector<char*>& arguments) {
    return posix_spawnp(&pid, program.c_str(), &actions_, &attributes_, arguments.data(), environ);
  }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

Result<pid_t> spawn(const ProcessOptions& options, int job, int source, int connection) {
  SpawnPlan plan;
  plan.hand_over(job, source, connection);
  std::string program = options.program, flag = "--config", config = options.config;
  std::vector<char*> arguments{program.data()};
  if (!config.empty()) arguments.insert(arguments.end(), {flag.data(), config.data()});
  arguments.push_back(nullptr);
  pid_t pid = -1;
  if (int status = plan.spawn(pid, program, arguments); status != 0)
    return start_error(options.program, status);
  return pid;
}

// Well before the program has loaded its libraries, let alone seen a byte of the source.
void confine(pid_t pid, std::uint64_t memory_max, int nice_steps) {
  rlimit memory{memory_max, memory_max};
  if (memory_can_be_limited && memory_max > 0) prlimit(pid, RLIMIT_DATA, &memory, nullptr);
  setpriority(PRIO_PROCESS, static_cast<id_t>(pid), nice_steps);
}

}  // namespace

Process::Process(int pid, store::UniqueFd pidfd, store::UniqueFd connection)
    : pid_(pid), pidfd_(std::move(pidfd)), connection_(std::move(connection)) {
}

Process::Process(Process&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      pidfd_(std::move(other.pidfd_)),
      connection_(std::move(other.connection_)) {
}

Process::~Process() {
  if (pid_ < 0) return;
  kill();
  reap();
}

Result<Process> Process::start(const ProcessOptions& options) {
  auto source = source_of(options);
  if (!source) return std::unexpected(source.error());
  auto job = job_file(options.job);
  if (!job) return std::unexpected(job.error());
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return start_error("socketpair", errno);
  store::UniqueFd ours(ends[0]), theirs(ends[1]);
  auto pid = spawn(options, job->get(), source->get(), theirs.get());
  if (!pid) return std::unexpected(pid.error());
  confine(*pid, options.memory_max, options.nice_steps);
  store::UniqueFd pidfd(static_cast<int>(syscall(SYS_pidfd_open, *pid, 0)));
  int why = errno;
  Process process(*pid, std::move(pidfd), std::move(ours));
  if (process.pidfd() < 0) return start_error("pidfd_open", why);
  return process;
}

void Process::kill() {
  if (pid_ > 0) ::kill(pid_, SIGKILL);  // not reaped yet, so the number is still its own
}

Process::End Process::reap() {
  int status = 0;
  rusage used{};
  pid_t done;
  do done = wait4(pid_, &status, 0, &used);
  while (done < 0 && errno == EINTR);
  pid_ = -1;
  End end;
  if (done < 0) return end;
  if (WIFEXITED(status)) end.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) end.signal = WTERMSIG(status);
  auto ms = [](const timeval& time) { return time.tv_sec * 1000 + time.tv_usec / 1000; };
  end.cpu = std::chrono::milliseconds(ms(used.ru_utime) + ms(used.ru_stime));
  end.memory_peak = static_cast<std::uint64_t>(used.ru_maxrss) * 1024;
  return end;
}

}  // namespace relay::origin::jobs
