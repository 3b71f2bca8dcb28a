// Stands before libc's threads, locks and clocks: for code of a simulated program they belong to
// the Schedule, for everybody else they are libc's own.
//
// Locks stay true pthread locks, so that whatever kind they are of, they work as they do; only to
// wait for one is the schedule's business.
#include <dlfcn.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <sys/time.h>

#include <cerrno>
#include <chrono>
#include <cstdarg>
#include <ctime>

#include "tests/simulation/raw_call.hpp"
#include "tests/simulation/schedule.hpp"

extern "C" int __interceptor_pthread_create(pthread_t*, const pthread_attr_t*, void* (*)(void*),
                                            void*) __attribute__((weak));

namespace relay::simulation {
namespace {

template <class Function>
Function* libc(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}
/// Functions on conditions have an older kind of the same name.
template <class Function>
Function* libc_condition(const char* name) {
  return reinterpret_cast<Function*>(::dlvsym(RTLD_NEXT, name, "GLIBC_2.3.2"));
}

Schedule& schedule() {
  return *Schedule::present;
}

bool simulated() {
  return Schedule::self() != nullptr;
}

/// How many locks the present thread holds. Turns change freely only where it holds none, for some
/// are common to all programs here and must not be held by one that is killed.
thread_local int locks_held = 0;

template <class Try>
int lock(const void* place, Try try_lock) {
  if (locks_held == 0) schedule().maybe_yield();
  int result = try_lock();
  while (result == EBUSY) {
    schedule().wait(place, never);
    result = try_lock();
  }
  ++locks_held;
  return result;
}

timespec timespec_of(Time time) {
  auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  return {static_cast<time_t>(seconds.count()), static_cast<long>((time - seconds).count())};
}

Time time_of(const timespec& time) {
  return std::chrono::seconds(time.tv_sec) + Time(time.tv_nsec);
}

Time steady_time() {
  return steady_begin + schedule().look_at_clock();
}

Time wall_time() {
  return wall_begin + schedule().look_at_clock() + schedule().process().wall_offset;
}

bool is_of_wall(clockid_t clock) {
  return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
}

bool is_steady(clockid_t clock) {
  return clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_COARSE ||
         clock == CLOCK_MONOTONIC_RAW || clock == CLOCK_BOOTTIME;
}

/// What `clock` shows as `at`, in the schedule's time.
Time deadline_of(clockid_t clock, const timespec& at) {
  Time now = is_of_wall(clock) ? wall_time() : steady_time();
  return schedule().now() + (time_of(at) - now);
}

int wait_on(pthread_cond_t* condition, pthread_mutex_t* mutex, Time deadline) {
  ::pthread_mutex_unlock(mutex);
  bool woken = schedule().wait(condition, deadline);
  ::pthread_mutex_lock(mutex);
  return woken ? 0 : ETIMEDOUT;
}

using Routine = void*(void*);

/// Of std::promise and its kin. `limit` is absolute for a bitset wait, of the steady clock unless
/// the call says otherwise.
long futex(int* word, int operation, int value, const timespec* limit) {
  int what = operation & FUTEX_CMD_MASK;
  if (what == FUTEX_WAKE || what == FUTEX_WAKE_BITSET) {
    schedule().wake_all(word);
    return 1;
  }
  if (what != FUTEX_WAIT && what != FUTEX_WAIT_BITSET) return libc_result(-ENOSYS);
  if (__atomic_load_n(word, __ATOMIC_ACQUIRE) != value) return libc_result(-EAGAIN);
  Time deadline = never;
  clockid_t clock = operation & FUTEX_CLOCK_REALTIME ? CLOCK_REALTIME : CLOCK_MONOTONIC;
  if (limit && what == FUTEX_WAIT) deadline = schedule().now() + time_of(*limit);
  if (limit && what == FUTEX_WAIT_BITSET) deadline = deadline_of(clock, *limit);
  return schedule().wait(word, deadline) ? 0 : libc_result(-ETIMEDOUT);
}

}  // namespace
}  // namespace relay::simulation

using namespace relay::simulation;

extern "C" {

int pthread_create(pthread_t* handle, const pthread_attr_t* options, void* (*routine)(void*),
                   void* argument) {
  if (simulated()) {
    Thread* thread = schedule().make_thread([routine, argument] { routine(argument); });
    *handle = reinterpret_cast<pthread_t>(thread);
    return 0;
  }
  if (__interceptor_pthread_create) {
    return __interceptor_pthread_create(handle, options, routine, argument);
  }
  static auto* real = libc<decltype(pthread_create)>("pthread_create");
  return real(handle, options, routine, argument);
}

int pthread_join(pthread_t handle, void** result) {
  if (simulated()) {
    schedule().join(reinterpret_cast<Thread*>(handle));
    if (result) *result = nullptr;
    return 0;
  }
  static auto* real = libc<decltype(pthread_join)>("pthread_join");
  return real(handle, result);
}

int pthread_detach(pthread_t handle) {
  if (simulated()) return 0;
  static auto* real = libc<decltype(pthread_detach)>("pthread_detach");
  return real(handle);
}

int pthread_mutex_lock(pthread_mutex_t* mutex) {
  static auto* real = libc<decltype(pthread_mutex_lock)>("pthread_mutex_lock");
  static auto* attempt = libc<decltype(pthread_mutex_trylock)>("pthread_mutex_trylock");
  if (!simulated()) return real(mutex);
  return lock(mutex, [&] { return attempt(mutex); });
}

int pthread_mutex_trylock(pthread_mutex_t* mutex) {
  static auto* attempt = libc<decltype(pthread_mutex_trylock)>("pthread_mutex_trylock");
  int result = attempt(mutex);
  if (result == 0 && simulated()) ++locks_held;
  return result;
}

int pthread_mutex_unlock(pthread_mutex_t* mutex) {
  static auto* real = libc<decltype(pthread_mutex_unlock)>("pthread_mutex_unlock");
  int result = real(mutex);
  if (simulated()) {
    --locks_held;
    schedule().wake_all(mutex);
  }
  return result;
}

/// Who waits for another's first time waits in the kernel: no turns in between.
int pthread_once(pthread_once_t* control, void (*routine)()) {
  static auto* real = libc<decltype(pthread_once)>("pthread_once");
  ++locks_held;
  int result = real(control, routine);
  --locks_held;
  return result;
}

int pthread_rwlock_rdlock(pthread_rwlock_t* place) {
  static auto* real = libc<decltype(pthread_rwlock_rdlock)>("pthread_rwlock_rdlock");
  if (!simulated()) return real(place);
  return lock(place, [&] { return ::pthread_rwlock_tryrdlock(place); });
}

int pthread_rwlock_wrlock(pthread_rwlock_t* place) {
  static auto* real = libc<decltype(pthread_rwlock_wrlock)>("pthread_rwlock_wrlock");
  if (!simulated()) return real(place);
  return lock(place, [&] { return ::pthread_rwlock_trywrlock(place); });
}

int pthread_rwlock_unlock(pthread_rwlock_t* place) {
  static auto* real = libc<decltype(pthread_rwlock_unlock)>("pthread_rwlock_unlock");
  int result = real(place);
  if (simulated()) {
    --locks_held;
    schedule().wake_all(place);
  }
  return result;
}

int pthread_cond_wait(pthread_cond_t* condition, pthread_mutex_t* mutex) {
  if (simulated()) return wait_on(condition, mutex, never);
  static auto* real = libc_condition<decltype(pthread_cond_wait)>("pthread_cond_wait");
  return real(condition, mutex);
}

// Asio's conditions go by the steady clock, and so do all others here.
int pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex,
                           const timespec* until) {
  if (simulated()) return wait_on(condition, mutex, deadline_of(CLOCK_MONOTONIC, *until));
  static auto* real = libc_condition<decltype(pthread_cond_timedwait)>("pthread_cond_timedwait");
  return real(condition, mutex, until);
}

int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t clock,
                           const timespec* until) {
  if (simulated()) return wait_on(condition, mutex, deadline_of(clock, *until));
  static auto* real = libc<decltype(pthread_cond_clockwait)>("pthread_cond_clockwait");
  return real(condition, mutex, clock, until);
}

int pthread_cond_signal(pthread_cond_t* condition) {
  if (simulated()) {
    schedule().wake_one(condition);
    return 0;
  }
  static auto* real = libc_condition<decltype(pthread_cond_signal)>("pthread_cond_signal");
  return real(condition);
}

int pthread_cond_broadcast(pthread_cond_t* condition) {
  if (simulated()) {
    schedule().wake_all(condition);
    return 0;
  }
  static auto* real = libc_condition<decltype(pthread_cond_broadcast)>("pthread_cond_broadcast");
  return real(condition);
}

int sched_yield() {
  if (simulated()) {
    schedule().wait(&schedule(), schedule().now() + std::chrono::microseconds(1));
    return 0;
  }
  return static_cast<int>(libc_result(raw_call(SYS_sched_yield)));
}

int nanosleep(const timespec* wait, timespec* left) {
  if (!simulated()) {
    return static_cast<int>(libc_result(raw_call(SYS_nanosleep, word(wait), word(left))));
  }
  schedule().wait(wait, schedule().now() + time_of(*wait));
  return 0;
}

int clock_gettime(clockid_t clock, timespec* time) {
  if (simulated() && (is_of_wall(clock) || is_steady(clock))) {
    *time = timespec_of(is_of_wall(clock) ? wall_time() : steady_time());
    return 0;
  }
  return static_cast<int>(libc_result(raw_call(SYS_clock_gettime, clock, word(time))));
}

int gettimeofday(timeval* time, void*) {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  *time = {now.tv_sec, now.tv_nsec / 1000};
  return 0;
}

time_t time(time_t* into) {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  if (into) *into = now.tv_sec;
  return now.tv_sec;
}

long syscall(long number, ...) {
  va_list arguments;
  va_start(arguments, number);
  long word[6];
  for (long& each : word) each = va_arg(arguments, long);
  va_end(arguments);
  if (number == SYS_futex && simulated()) {
    return futex(reinterpret_cast<int*>(word[0]), static_cast<int>(word[1]),
                 static_cast<int>(word[2]), reinterpret_cast<const timespec*>(word[3]));
  }
  return libc_result(raw_call(number, word[0], word[1], word[2], word[3], word[4], word[5]));
}

}  // extern "C"

// libstdc++ reads them from the kernel's page by itself.
namespace std::chrono {

steady_clock::time_point steady_clock::now() noexcept {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return time_point(seconds(time.tv_sec) + nanoseconds(time.tv_nsec));
}

system_clock::time_point system_clock::now() noexcept {
  timespec time{};
  ::clock_gettime(CLOCK_REALTIME, &time);
  return time_point(seconds(time.tv_sec) + nanoseconds(time.tv_nsec));
}

}  // namespace std::chrono
