#include "common/store/mapped_read.hpp"

#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <utility>

namespace relay::store {
namespace {

thread_local MappedRead* innermost = nullptr;

}  // namespace

struct BusHandler {
  static void handle(int number, siginfo_t* info, void* context) {
    MappedRead* read = innermost;
    bool bus = number == SIGBUS;
    bool meant = read && (bus || read->faults_ == MappedRead::Faults::any_memory);
    if (meant && read->place_) {
      // The jump leaves the handler without the kernel's undoing of what it blocked meanwhile.
      ::pthread_sigmask(SIG_SETMASK, &static_cast<ucontext_t*>(context)->uc_sigmask, nullptr);
      siglongjmp(*read->place_, 1);
    }
    auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
    bool inside = meant && address >= read->begin_ && address < read->end_;
    if (inside && put_zeros(address)) {
      read->any_missing_ = true;
      return;
    }
    // It comes again at once, to who had it before: that ends the process.
    ::sigaction(number, bus ? &former_bus : &former_segv, nullptr);
  }

  static bool put_zeros(std::uintptr_t address) {
    static const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    void* at = reinterpret_cast<void*>(address & ~(page - 1));
    return ::mmap(at, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at;
  }

  static bool install() {
    struct sigaction action{};
    action.sa_sigaction = handle;
    action.sa_flags = SA_SIGINFO;
    sigemptyset(&action.sa_mask);
    return ::sigaction(SIGBUS, &action, &former_bus) == 0 &&
           ::sigaction(SIGSEGV, &action, &former_segv) == 0;
  }

  static void need() {
    static const bool installed = install();
    (void)installed;
  }

  static inline struct sigaction former_bus{}, former_segv{};
};

MappedRead::MappedRead(sigjmp_buf& place, Faults faults)
    : place_(&place), faults_(faults), outer_(std::exchange(innermost, this)) {
  BusHandler::need();
}

MappedRead::MappedRead(const char* map, std::size_t bytes)
    : begin_(reinterpret_cast<std::uintptr_t>(map)),
      end_(begin_ + bytes),
      outer_(std::exchange(innermost, this)) {
  BusHandler::need();
}

MappedRead::~MappedRead() {
  innermost = outer_;
}

void MappedRead::leave() {
  if (innermost && innermost->place_) siglongjmp(*innermost->place_, 1);
}

bool copy_mapped(char* into, const char* from, std::size_t bytes) {
  return read_mapped([&] { std::memcpy(into, from, bytes); });
}

bool touch_mapped(std::string_view bytes) {
  constexpr std::size_t page_least = 4096;
  auto look_at = [](const char& byte) { (void)*const_cast<const volatile char*>(&byte); };
  return read_mapped([&] {
    for (std::size_t at = 0; at < bytes.size(); at += page_least) look_at(bytes[at]);
    if (!bytes.empty()) look_at(bytes.back());
  });
}

}  // namespace relay::store
