#include "transcoder/starvation.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "common/base/sanitizers.hpp"
#include "common/media/job.hpp"

namespace relay::transcoder {
namespace {

void set_limit(rlim_t bytes) {
  rlimit limit{bytes, bytes};
  setrlimit(RLIMIT_DATA, &limit);
}

// Untouched pages count as well.
void take_all_that_is_left() {
  for (std::size_t size = 1 << 30; size >= 64 << 10; size /= 2)
    while (mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
           MAP_FAILED) {
    }
}

// A sanitizer's own handler would report the crash, and its memory fits into no limit.
TEST(Starvation, IsToldFromOtherCrashes) {
  if (sanitized) GTEST_SKIP() << "a sanitizer reports crashes itself";
  for (int crash : {SIGSEGV, SIGABRT, SIGBUS}) {
    EXPECT_EXIT(
        {
          set_limit(512 << 20);
          name_starvation();
          take_all_that_is_left();
          raise(crash);
          _exit(0);
        },
        testing::ExitedWithCode(media::exit_out_of_memory), "crashed for want of it");
    EXPECT_EXIT(
        {
          set_limit(512 << 20);
          name_starvation();
          raise(crash);
          _exit(0);
        },
        testing::KilledBySignal(crash), "");
  }
}

}  // namespace
}  // namespace relay::transcoder
