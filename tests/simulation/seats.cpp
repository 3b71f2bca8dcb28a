#include "tests/simulation/seats.hpp"

#include <asm/prctl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "tests/simulation/raw_call.hpp"

/// Keeps on the present stack what a function has to keep, and goes on with another.
extern "C" void relay_simulation_change_stacks(void** from, void* to);
asm(R"(
.text
.type relay_simulation_change_stacks, @function
relay_simulation_change_stacks:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size relay_simulation_change_stacks, . - relay_simulation_change_stacks
)");

namespace relay::simulation {
namespace {

constexpr std::size_t stack_bytes = 512 << 10;
// Left to the sleeping thread, at the beginning of a stack.
constexpr std::size_t sleeper_bytes = 4096;
constexpr std::size_t kept_registers = 6;

std::vector<Seat*> seats;
std::size_t taken = 0;
thread_local Seat* mine = nullptr;

void* thread_pointer() {
  void* at;
  asm("movq %%fs:0, %0" : "=r"(at));
  return at;
}

bool can_write_fs() {
  constexpr unsigned long fsgsbase = 2;  // HWCAP2_FSGSBASE
  static const bool can = ::getauxval(AT_HWCAP2) & fsgsbase;
  return can;
}

void set_thread_pointer(void* at) {
  if (can_write_fs()) {
    asm volatile("wrfsbase %0" : : "r"(at) : "memory");
  } else {
    raw_call(SYS_arch_prctl, ARCH_SET_FS, word(static_cast<char*>(at)));
  }
}

void begin() {
  mine->run(mine->argument);
  std::abort();
}

/// A stack on which the first turn begins with begin().
void* first_stack(void* below) {
  auto top = (reinterpret_cast<std::uintptr_t>(below) - sleeper_bytes) & ~std::uintptr_t{15};
  auto* at = reinterpret_cast<void**>(top);
  *--at = nullptr;  // nobody to return to
  *--at = reinterpret_cast<void*>(&begin);
  for (std::size_t i = 0; i < kept_registers; ++i) *--at = nullptr;
  return at;
}

struct Making {
  Seat* seat;
  std::atomic<int> made = 0;
};

void* lend_all(void* given) {
  auto* making = static_cast<Making*>(given);
  mine = making->seat;
  mine->thread_pointer = thread_pointer();
  mine->stack = first_stack(__builtin_frame_address(0));
  making->made.store(1, std::memory_order_release);
  raw_call(SYS_futex, word(&making->made), FUTEX_WAKE_PRIVATE, 1);
  static std::atomic<int> for_good = 0;
  while (true) raw_call(SYS_futex, word(&for_good), FUTEX_WAIT_PRIVATE, 0);
}

}  // namespace

void make_seats(std::size_t count) {
  can_write_fs();
  // One mapping for all, for each costs a fork some.
  void* stacks = ::mmap(nullptr, count * stack_bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (stacks == MAP_FAILED) std::abort();
  pthread_attr_t options;
  pthread_attr_init(&options);
  for (std::size_t i = 0; i < count; ++i) {
    pthread_attr_setstack(&options, static_cast<char*>(stacks) + i * stack_bytes, stack_bytes);
    Making making{.seat = new Seat};
    pthread_t handle;
    if (pthread_create(&handle, &options, lend_all, &making) != 0) std::abort();
    while (making.made.load(std::memory_order_acquire) == 0) {
      raw_call(SYS_futex, word(&making.made), FUTEX_WAIT_PRIVATE, 0);
    }
    seats.push_back(making.seat);
  }
  pthread_attr_destroy(&options);
}

Seat& take_seat(void (*run)(void*), void* argument) {
  if (taken == seats.size()) {
    std::fprintf(stderr, "a history has more threads than the %zu there is room for\n", taken);
    std::abort();
  }
  Seat& seat = *seats[taken++];
  seat.run = run;
  seat.argument = argument;
  return seat;
}

Seat& first_seat() {
  static Seat seat;
  seat.thread_pointer = thread_pointer();
  return seat;
}

void change_seats(Seat& from, Seat& to) {
  set_thread_pointer(to.thread_pointer);
  relay_simulation_change_stacks(&from.stack, to.stack);
}

}  // namespace relay::simulation
