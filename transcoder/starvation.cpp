#include "transcoder/starvation.hpp"

#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <initializer_list>
#include <string_view>

#include "common/media/job.hpp"

namespace relay::transcoder {
namespace {

// About what a picture of 3840×2160 takes, the largest single thing that is asked for.
constexpr std::size_t largest_request_bytes = 32 << 20;

// Only what is safe within a signal handler.
void on_crash(int signal) {
  if (mmap(nullptr, largest_request_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
           0) == MAP_FAILED) {
    constexpr std::string_view said = "out of memory: a library crashed for want of it\n";
    [[maybe_unused]] auto written = write(STDERR_FILENO, said.data(), said.size());
    _exit(media::exit_out_of_memory);
  }
  raise(signal);  // waits until this returns, and then finds the default action
}

}  // namespace

void name_starvation() {
  rlimit limit{};
  if (getrlimit(RLIMIT_DATA, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return;
  struct sigaction action{};
  action.sa_handler = on_crash;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  for (int signal : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL}) sigaction(signal, &action, nullptr);
}

}  // namespace relay::transcoder
