#include "transcoder/sandbox.hpp"

#include "common/base/sanitizers.hpp"

#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <memory>

namespace relay::transcoder {
namespace {

constexpr rlim_t open_files_max = 64;

// What computing with threads, reading the source and talking on the connection need.
constexpr std::array permitted_calls = {
    // the descriptors that are there
    SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(preadv), SCMP_SYS(write),
    SCMP_SYS(writev), SCMP_SYS(lseek), SCMP_SYS(fstat), SCMP_SYS(close), SCMP_SYS(sendmsg),
    SCMP_SYS(sendto), SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(setsockopt),
    SCMP_SYS(shutdown), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(dup), SCMP_SYS(fcntl),
    SCMP_SYS(fadvise64),
    // memory
    SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mprotect), SCMP_SYS(mremap), SCMP_SYS(madvise),
    SCMP_SYS(brk), SCMP_SYS(membarrier),
    // threads
    SCMP_SYS(futex), SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(gettid), SCMP_SYS(getpid),
    SCMP_SYS(getppid), SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity), SCMP_SYS(sched_getparam),
    SCMP_SYS(sched_getscheduler), SCMP_SYS(getcpu), SCMP_SYS(exit), SCMP_SYS(exit_group),
    SCMP_SYS(restart_syscall),
    // signals to itself
    SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack),
    // time and facts about the machine
    SCMP_SYS(nanosleep), SCMP_SYS(clock_nanosleep), SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres),
    SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(getrandom), SCMP_SYS(getrusage),
    SCMP_SYS(sysinfo), SCMP_SYS(uname), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid),
    SCMP_SYS(getegid)};

std::unexpected<Error> sandbox_error(const char* what, int errno_value) {
  return fail(
      ErrorKind::internal, ErrorSource::internal,
      std::string("the sandbox cannot be built: ") + what + ": " + std::strerror(errno_value));
}

struct FreeFilter {
  void operator()(void* filter) const { seccomp_release(filter); }
};
using Filter = std::unique_ptr<void, FreeFilter>;

scmp_arg_cmp equals(unsigned argument, std::uint64_t value) {
  return {argument, SCMP_CMP_EQ, value, 0};
}

scmp_arg_cmp has_bits(unsigned argument, std::uint64_t bits) {
  return {argument, SCMP_CMP_MASKED_EQ, bits, bits};
}

// Rules that look at arguments. Everything not permitted fails with EPERM; a library then goes
// another way or gives up, and neither harms anybody.
int add_narrow_rules(scmp_filter_ctx filter) {
  int status = 0;
  auto rule = [&](std::uint32_t action, int call, std::initializer_list<scmp_arg_cmp> arguments) {
    if (status == 0)
      status = seccomp_rule_add_array(filter, action, call, static_cast<unsigned>(arguments.size()),
                                      arguments.begin());
  };
  // Threads, never processes. glibc tries clone3 first, whose flags a filter cannot see.
  rule(SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), {});
  rule(SCMP_ACT_ALLOW, SCMP_SYS(clone), {has_bits(0, CLONE_THREAD)});
  rule(SCMP_ACT_ALLOW, SCMP_SYS(prctl), {equals(0, PR_SET_NAME)});
  rule(SCMP_ACT_ALLOW, SCMP_SYS(prctl), {equals(0, PR_SET_VMA)});
  rule(SCMP_ACT_ALLOW, SCMP_SYS(tgkill), {equals(0, static_cast<std::uint64_t>(getpid()))});
  // Reading limits, not changing them.
  rule(SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), {equals(0, 0), equals(2, 0)});
  // What glibc makes of fstat(): by descriptor. A path could be given too; it tells no content.
  rule(SCMP_ACT_ALLOW, SCMP_SYS(newfstatat), {has_bits(3, AT_EMPTY_PATH)});
  rule(SCMP_ACT_ERRNO(EACCES), SCMP_SYS(open), {});
  rule(SCMP_ACT_ERRNO(EACCES), SCMP_SYS(openat), {});
  rule(SCMP_ACT_ERRNO(ENOTTY), SCMP_SYS(ioctl), {});
  return status;
}

Result<void> limit_system_calls() {
  Filter filter(seccomp_init(SCMP_ACT_ERRNO(EPERM)));
  if (!filter) return sandbox_error("seccomp_init", ENOMEM);
  int status = seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_TSYNC, 1);
  for (int call : permitted_calls)
    if (status == 0) status = seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, call, 0);
  if (status == 0) status = add_narrow_rules(filter.get());
  if (status == 0) status = seccomp_load(filter.get());
  if (status != 0) return sandbox_error("seccomp", -status);
  return {};
}

void close_others(int source_fd, int connection_fd) {
  std::array kept = {STDOUT_FILENO, STDERR_FILENO, source_fd, connection_fd};
  std::ranges::sort(kept);
  unsigned next = 0;
  for (int fd : kept) {
    if (fd < 0) continue;
    if (static_cast<unsigned>(fd) > next) close_range(next, static_cast<unsigned>(fd) - 1, 0);
    next = static_cast<unsigned>(fd) + 1;
  }
  close_range(next, ~0u, 0);
}

Result<void> set_limits() {
  rlimit no_core{0, 0};
  rlimit files{open_files_max, open_files_max};
  if (setrlimit(RLIMIT_CORE, &no_core) != 0) return sandbox_error("RLIMIT_CORE", errno);
  if (setrlimit(RLIMIT_NOFILE, &files) != 0) return sandbox_error("RLIMIT_NOFILE", errno);
  return {};
}

// An own user namespace also takes root's powers away. Not every system permits it; the list of
// system calls stands without it.
void leave_the_network() {
  if (unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC) != 0)
    (void)unshare(CLONE_NEWNET | CLONE_NEWIPC);
}

}  // namespace

Result<void> seal(int source_fd, int connection_fd) {
  close_others(source_fd, connection_fd);
  if (auto limited = set_limits(); !limited) return limited;
  leave_the_network();
  // After the namespaces: a change of credentials forgets it.
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return sandbox_error("PR_SET_PDEATHSIG", errno);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return sandbox_error("PR_SET_NO_NEW_PRIVS", errno);
  // A sanitizer opens files and looks at its process; it keeps the other walls.
  if (sanitized) return {};
  (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  return limit_system_calls();
}

}  // namespace relay::transcoder
